"""Whether this code can serve on a database's schema, by the migrations that made it.

Migrations expand first: while a release is rolled out, and after it was rolled back, the code before them works on the
schema after them. So a schema that is behind the code is refused, and one that is ahead of it only where a migration
has said (`oldest_code`) that code which does not know a certain revision no longer fits.
"""

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import asyncpg

from core.db.connections.connection import APPLICATION, connect
from core.db.schema.old_application import WITHIN

MADE = "SELECT to_regclass('public.alembic_version') IS NOT NULL"
AT = "SELECT version_num FROM public.alembic_version"
OLDEST = "SELECT obj_description('public.alembic_version'::regclass, 'pg_class')"
# Not in a table: whoever may connect may read it, and every dump has it.
SAYS = "oldest code at "


class OtherSchema(Exception):
    """The schema is not one that this code can serve on. Its message is for people, and says what to do."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A database's, beside this code."""

    at: str | None
    """Its revision; None where it was never migrated."""
    oldest: str | None = None
    """The revision that code has to know to work on it; None: any may."""

    @property
    def is_newer(self) -> bool:
        """Whether a release that this code does not know has migrated it."""
        return self.at is not None and self.at not in revisions()

    @property
    def refusal(self) -> str | None:
        """Why this code does not serve on it, in a sentence that says what to do; None where it does."""
        if self.at is None:
            return "The database is empty: run ticket-home migrate."
        if not self.is_newer:
            if self.at == newest():
                return None
            return f"The database is at revision {self.at}, this release needs {newest()}: run ticket-home migrate."
        if self.oldest is None or self.oldest in revisions():
            return None
        return (
            f"The database is at revision {self.at} of a newer release, and needs code that knows {self.oldest};"
            f" this ends at {newest()}: deploy the newer release, or restore the backup from before its migration."
        )


def scripts() -> Path:
    """The migrations' folder: beside this file in a wheel, at the top in a checkout."""
    installed = Path(__file__).parent / "migrations"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "alembic"


@cache
def revisions() -> frozenset[str]:
    """Those that this code knows. Files' names begin with them, so no migration is imported where requests are
    served."""
    return frozenset(path.name.partition("_")[0] for path in scripts().glob("versions/[0-9]*.py"))


def newest() -> str:
    """The last revision that this code knows, which is the one that it needs."""
    return max(revisions())


def oldest_code(revision: str) -> str:
    """The statement of a migration that takes away what code before `revision` works with."""
    return f"COMMENT ON TABLE alembic_version IS '{SAYS}{revision}'"


async def look(connection: "asyncpg.Connection[asyncpg.Record]") -> Schema:
    """The schema that a connection leads to; in one transaction, so that it goes through a transaction pooler, too."""
    async with connection.transaction(readonly=True):
        if not await connection.fetchval(MADE):
            return Schema(None)
        said = await connection.fetchval(OLDEST) or ""
        oldest = said.removeprefix(SAYS) if said.startswith(SAYS) else None
        return Schema(await connection.fetchval(AT), oldest)


async def schema_at(url: str) -> Schema | None:
    """The schema of the database at the address; None where it cannot be looked at: whoever needs it says so."""
    try:
        connection = await connect(
            url, name=f"{APPLICATION}-look", settings={"timezone": "UTC"}, within=WITHIN, only_primary=False
        )
        try:
            async with asyncio.timeout(WITHIN):
                return await look(connection)
        finally:
            connection.terminate()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        return None


async def refuse_other_schema(url: str) -> bool:
    """Whether the database could be looked at. Raises OtherSchema where this code cannot serve on it."""
    found = await schema_at(url)
    if found is not None and found.refusal is not None:
        raise OtherSchema(found.refusal)
    return found is not None
