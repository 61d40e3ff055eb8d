"""Migrations by program: `ticket-home migrate`, the local start, and the tests run the same."""

import asyncio
import time
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from core.db.connections.connection import APPLICATION, connect_directly
from core.db.connections.engine import migration_engine
from core.db.failures import DEADLOCK, NO_LOCK, sqlstate
from core.db.rollups import TO_DO, keep_up
from core.db.schema.compatibility import OtherSchema, newest, schema_at, scripts
from core.db.schema.old_application import refuse_old_application
from core.telemetry.log import logger

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is asked: most starts find nothing to migrate, and it takes a tenth of a second.

ADVISORY_LOCK = 0x7469636B6574  # "ticket"
TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")
PAUSE = 0.2
"""Seconds between two tries for the migrations' own lock."""
TRIES = 10
"""Of a migration that does not get a table's lock: each waits for the `lock_timeout` of alembic/script.py.mako."""
BETWEEN = 2.0
"""Seconds from one to the next, in which whoever queued behind it has a turn."""


def config(connection: Connection | None = None) -> "Config":
    """Alembic's, for these migrations; they run on `connection`."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


async def _locked(url: str, run: str) -> None:
    engine = migration_engine(url)
    try:
        async with engine.connect() as connection:
            # A session lock, so that two instances that start at once migrate one after the other. Who waited for it in
            # a statement would be waited for by a CREATE INDEX CONCURRENTLY of the one that has it.
            is_told = False
            while not await connection.scalar(TRY_LOCK, {"key": ADVISORY_LOCK}):
                await connection.commit()
                if not is_told:
                    logger.warning("another migration is under way: this one waits for its end")
                    is_told = True
                await asyncio.sleep(PAUSE)
            await connection.commit()
            try:
                await connection.run_sync(_upgrade if run == "upgrade" else _check)
                await connection.commit()
            finally:
                await connection.rollback()
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
                await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    from alembic import command

    command.upgrade(config(connection), "head")


async def _stand_for_these_tables(url: str) -> None:
    """Versions from now on, and rollups, which are counted where tables were replaced or are new: the old code serves
    on meanwhile."""
    settings = {"timezone": "UTC", "lock_timeout": "10000", "jit": "off"}
    connection = await connect_directly(url, name=f"{APPLICATION}-migrate", settings=settings)
    try:
        await connection.execute("SELECT cache_new_timeline()")
        await keep_up(connection, [row[0] for row in await connection.fetch(TO_DO)])
    finally:
        await connection.close()


def _check(connection: Connection) -> None:
    from alembic import command

    command.check(config(connection))


def upgrade(database_url: str, *, tries: int = TRIES) -> bool:
    """Bring the database to the newest revision. Not inside a running event loop.

    `tries`: where a table's lock is not to be had. False where nothing is to be done, for a newer release has migrated
    the database, and this code works on it, too. Raises OldApplication where the database is that application's,
    OtherSchema where it is a newer release's and this code does not work on it; DBAPIError.
    """
    asyncio.run(refuse_old_application(database_url))
    found = asyncio.run(schema_at(database_url))
    if found is not None and found.is_newer:
        if found.refusal is not None:
            raise OtherSchema(found.refusal)
        return False
    if found is None or found.at != newest():
        _try(database_url, tries)
    asyncio.run(_stand_for_these_tables(database_url))
    return True


def _try(url: str, tries: int) -> None:
    """What has been done is done: each migration is a transaction, or goes on where it was broken off."""
    for left in reversed(range(tries)):
        try:
            asyncio.run(_locked(url, "upgrade"))
            break
        except DBAPIError as error:
            if not left or sqlstate(error) not in (NO_LOCK, DEADLOCK):
                raise
            logger.warning("a migration has waited for a table's lock in vain, and tries again", tries_left=left)
            time.sleep(BETWEEN)


def check(database_url: str) -> None:
    """Raise alembic.util.CommandError where models and migrations differ."""
    asyncio.run(_locked(database_url, "check"))
