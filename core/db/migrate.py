"""Migrations by program: `ticket-home migrate`, the local start, and the tests run the same."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from core.db.connections.connection import APPLICATION, connect_directly
from core.db.connections.engine import migration_engine
from core.db.old_application import refuse_old_application
from core.db.rollups import TO_DO, keep_up

ADVISORY_LOCK = 0x7469636B6574  # "ticket"
TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")
PAUSE = 0.2
"""Seconds between two tries."""


def scripts() -> Path:
    """The migrations' folder: beside this file in a wheel, at the top in a checkout."""
    installed = Path(__file__).parent / "migrations"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "alembic"


def config(connection: Connection | None = None) -> Config:
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
            while not await connection.scalar(TRY_LOCK, {"key": ADVISORY_LOCK}):
                await connection.commit()
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
    command.upgrade(config(connection), "head")
    # Whatever it made anew: the versions stand for these tables from now on.
    connection.execute(text("SELECT cache_new_timeline()"))


async def _fill_rollups(url: str) -> None:
    """Whose tables were replaced, or counted for the first time: the old code serves on while they are counted."""
    settings = {"timezone": "UTC", "lock_timeout": "10000", "jit": "off"}
    connection = await connect_directly(url, name=f"{APPLICATION}-migrate", settings=settings)
    try:
        await keep_up(connection, [row[0] for row in await connection.fetch(TO_DO)])
    finally:
        await connection.close()


def _check(connection: Connection) -> None:
    command.check(config(connection))


def upgrade(database_url: str) -> None:
    """Bring the database to the newest revision. Not inside a running event loop.

    Raises OldApplication where that is another application's.
    """
    asyncio.run(refuse_old_application(database_url))
    asyncio.run(_locked(database_url, "upgrade"))
    asyncio.run(_fill_rollups(database_url))


def check(database_url: str) -> None:
    """Raise alembic.util.CommandError where models and migrations differ."""
    asyncio.run(_locked(database_url, "check"))
