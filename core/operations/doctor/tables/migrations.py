"""What the migrations make, and how far the database has come in them.

The triggers and functions that should be there are read from the migrations themselves: they are run without a
database, and give their statements. So there is no second list of them to keep in step.
"""

import re
from dataclasses import dataclass, field
from functools import cache

from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.engine import make_url

from core.db.bulk_copy import Connection
from core.db.connections.engine import migration_engine
from core.db.models import metadata
from core.db.schema import compatibility
from core.db.schema.migrate import config
from core.db.schema.old_application import WHAT_TO_DO, is_old_application
from core.operations.doctor.finding import Finding, failed, listed, ok, warning

CHECK = "Migrations"
SCHEMA = "Tables"
MIGRATE = "run ticket-home migrate"

_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (?:public\.)?(\w+)\s*\(")
_TRIGGER = re.compile(r"CREATE (?:CONSTRAINT )?TRIGGER (\w+) .*?\bON (?:public\.)?(\w+)\b", re.DOTALL)
_ALWAYS = re.compile(r"ALTER TABLE (?:public\.)?(\w+) ENABLE ALWAYS TRIGGER (\w+)")
_DROP_TRIGGER = re.compile(r"DROP TRIGGER (?:IF EXISTS )?(\w+) ON (?:public\.)?(\w+)")
_DROP_FUNCTION = re.compile(r"DROP FUNCTION (?:IF EXISTS )?(.+)", re.DOTALL)
_EVENTS = re.compile(r"\b(BEFORE|AFTER) ((?:INSERT|UPDATE|DELETE|TRUNCATE)(?: OR \w+)*) ON ")


@dataclass(slots=True)
class MigratedSchema:
    """By all migrations together: `functions` name → statement, `triggers` (table, name) → statement."""

    functions: dict[str, str] = field(default_factory=dict)
    triggers: dict[tuple[str, str], str] = field(default_factory=dict)
    always: set[tuple[str, str]] = field(default_factory=set)
    """Triggers that fire under session_replication_role = replica too."""

    def stamped(self, topic: str = "") -> list[str]:
        """Tables whose changes stamp versions, or those that stamp `topic`, in the order in which they were made so."""
        tables = [table for table, name in self.triggers if name == "cache_stamp_insert"]
        return [table for table in tables if f"/{topic}" in self.functions[f"cache_stamp_{table}"]]

    def learn(self, statement: str) -> None:
        """Take in what one statement of a migration makes or drops. Others are passed over."""
        if found := _FUNCTION.match(statement):
            self.functions[found[1]] = statement
        elif found := _TRIGGER.match(statement):
            self.triggers[found[2], found[1]] = statement
        elif found := _ALWAYS.match(statement):
            self.always.add((found[1], found[2]))
        elif found := _DROP_TRIGGER.match(statement):
            self.triggers.pop((found[2], found[1]), None)
        elif found := _DROP_FUNCTION.match(statement):
            for name in re.findall(r"(\w+)\s*\(", found[1]):
                self.functions.pop(name, None)


class _Statements:
    """What alembic writes to, one statement at a time."""

    def __init__(self, made: MigratedSchema) -> None:
        self._made = made

    def write(self, text: str) -> None:
        """One statement, with or without its semicolon."""
        self._made.learn(text.strip().removesuffix(";"))

    def flush(self) -> None:
        """Nothing is held back."""
        return


@cache
def made() -> MigratedSchema:
    """Functions and triggers as all migrations leave them; read once, without a database."""
    found = MigratedSchema()
    options = {"as_sql": True, "literal_binds": True, "output_buffer": _Statements(found)}
    context = MigrationContext.configure(dialect=make_url("postgresql+asyncpg://").get_dialect()(), opts=options)
    with Operations.context(context):
        for revision in reversed(list(_scripts().walk_revisions())):
            revision.module.upgrade()
    return found


def normal(trigger: str) -> str:
    """A trigger's statement, as it was written or as PostgreSQL prints it, in one form."""
    spaced = " ".join(trigger.replace("public.", "").split())
    return _EVENTS.sub(lambda found: f"{found[1]} {' OR '.join(sorted(found[2].split(' OR ')))} ON ", spaced)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(config())


async def look(connection: Connection) -> Finding:
    """Failed where this code does not fit the database's schema, or it is another application's. A warning where a
    newer release has migrated it: what that release needs, this code cannot judge."""
    if await is_old_application(connection):
        return failed(CHECK, "this is the old application's database", WHAT_TO_DO)
    found = await compatibility.look(connection)
    if found.at is None:
        return failed(CHECK, "the database is empty", MIGRATE)
    if found.is_newer:
        seen = f"the database is at revision {found.at}, newer than this code"
        if found.refusal is None:
            return warning(CHECK, f"{seen}, which works on it, too", "ask the newer release's doctor about the tables")
        return failed(CHECK, f"{seen}, which does not fit it any more", "deploy the newer release")
    if found.refusal is None:
        return ok(CHECK, f"at the newest revision, {found.at}")
    waiting = list(_scripts().iterate_revisions(compatibility.newest(), found.at))
    return failed(CHECK, f"at {found.at}, {len(waiting)} behind {compatibility.newest()}", MIGRATE)


async def look_at_tables(database_url: str) -> Finding:
    """Whether tables, columns and indexes are those that the code knows."""
    engine = migration_engine(database_url)
    try:
        async with engine.connect() as connection:
            different = await connection.run_sync(_differences)
    finally:
        await engine.dispose()
    # What somebody added, an index perhaps, is not ours to judge.
    different = [one for one in different if not one.startswith("remove_")]
    if not different:
        return ok(SCHEMA, f"{len(metadata.tables)} tables with the columns and indexes that the code knows")
    return failed(SCHEMA, f"somebody changed them by hand: {listed(different)}", "undo it, or restore a backup")


def _differences(connection: SyncConnection) -> list[str]:
    options = {"compare_type": True, "compare_server_default": True}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    # Changes of one column come as a list of their own.
    flat = [one for some in found for one in (some if isinstance(some, list) else [some])]
    return sorted(_named(one) for one in flat)


def _named(difference: tuple[object, ...]) -> str:
    """`add_index ix_ticket_board`: what would have to be done to get from the database to the code."""
    kind, *parts = difference
    names = [getattr(part, "name", part) for part in parts]
    return " ".join([str(kind), *(str(name) for name in names if isinstance(name, str))])
