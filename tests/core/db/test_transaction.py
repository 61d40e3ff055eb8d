"""What runs again, what is told as away, and what bounds each connection; on a real server."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db.failures import sqlstate
from core.db.transaction import ATTEMPTS, Database, ReadSession, WriteSession
from core.errors import Unavailable
from core.runtime import open_runtime
from core.settings import Settings
from tests.factories.rows import Connection
from tests.support.machine import until

LOST_RACES = ["40P01", "40001"]

SETUP = """
CREATE TABLE race (lost text, id int);
CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.id < 3 THEN RAISE EXCEPTION 'lost a race' USING ERRCODE = new.lost; END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON race DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose()
"""
"""Like the service's own triggers it fails at COMMIT, the first two times."""


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_runtime(settings) as runtime:
        yield runtime.database


class Racing:
    """A write that loses its race at COMMIT, the first `losses` times."""

    def __init__(self, lost: str, losses: int) -> None:
        self.runs = 0
        self._lost = lost
        self._losses = losses

    async def __call__(self, session: WriteSession) -> int:
        self.runs += 1
        loses = self.runs <= self._losses
        await session.execute(
            text("INSERT INTO race VALUES (:lost, :id)"), {"lost": self._lost, "id": 1 if loses else 3}
        )
        return self.runs


@pytest.mark.parametrize("lost", LOST_RACES)
async def test_a_write_that_lost_a_race_at_commit_runs_three_times(
    database: Database, connection: Connection, lost: str
) -> None:
    await connection.execute(SETUP)
    assert await database.write(Racing(lost, ATTEMPTS - 1)) == ATTEMPTS == 3
    assert await connection.fetchval("SELECT count(*) FROM race") == 1


@pytest.mark.parametrize("lost", LOST_RACES)
async def test_a_write_that_always_loses_is_given_up_after_three_times(
    database: Database, connection: Connection, lost: str
) -> None:
    await connection.execute(SETUP)
    racing = Racing(lost, 10)
    with pytest.raises(DBAPIError) as raised:
        await database.write(racing)
    assert sqlstate(raised.value) == lost
    assert racing.runs == 3
    assert await connection.fetchval("SELECT count(*) FROM race") == 0


REPLACED = [
    "CREATE TEMP TABLE kept AS TABLE race; TRUNCATE race; INSERT INTO race TABLE kept",
    "CREATE TABLE again AS TABLE race; DROP TABLE race; ALTER TABLE again RENAME TO race",
    "ALTER TABLE race ALTER COLUMN id TYPE bigint",
]


@pytest.mark.parametrize("replace", REPLACED)
@pytest.mark.parametrize("is_waited_for", [True, False])
async def test_a_snapshot_is_never_of_tables_that_were_replaced_under_it(
    database: Database, connection: Connection, database_url: str, replace: str, is_waited_for: bool
) -> None:
    """It would see no rows, where at every moment there was one."""
    await connection.execute("CREATE TABLE race AS SELECT 1 AS id")
    replacing = await asyncpg.connect(database_url)
    transaction = replacing.transaction()
    await transaction.start()
    if is_waited_for:
        await replacing.execute(replace)
    runs = 0

    async def work(session: ReadSession) -> int:
        nonlocal runs
        runs += 1
        await session.execute(text("SELECT count(*) FROM clinic"))
        if runs == 1 and not is_waited_for:
            await replacing.execute(replace)
            await transaction.commit()
        return int(await session.scalar(text("SELECT count(*) FROM race")) or 0)

    reading = asyncio.create_task(database.snapshot(work))
    if is_waited_for:
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database"
        await until(lambda: connection.fetchval(f"{waits} WHERE datname = current_database()))"))
        await transaction.commit()
    assert await reading == 1
    assert runs == 2
    await replacing.close()


@pytest.mark.parametrize(
    "missing",
    ["ALTER TABLE cache_timeline RENAME COLUMN fingerprint TO not_yet", "DROP TABLE cache_timeline", "SELECT"],
)
async def test_what_a_restore_has_not_brought_yet_is_away_also_where_that_is_what_would_tell(
    database: Database, connection: Connection, missing: str
) -> None:
    async def work(session: ReadSession) -> None:
        await session.execute(text("SELECT no_such_column FROM doctor"))

    await connection.execute(missing)
    # With all that there is to be it is a bug.
    with pytest.raises(DBAPIError if missing == "SELECT" else Unavailable):
        await database.read(work)


async def test_a_file_that_work_does_not_find_is_a_bug_and_no_outage(database: Database) -> None:
    async def work(session: ReadSession) -> None:
        await session.execute(text("SELECT 1"))
        raise FileNotFoundError("a loader's own")

    with pytest.raises(FileNotFoundError):
        await database.read(work)


@pytest.mark.parametrize(
    ("name", "value"),
    [("lock_timeout", "3s"), ("statement_timeout", "10s"), ("idle_in_transaction_session_timeout", "10s")],
)
async def test_every_serving_connection_is_bounded(database: Database, name: str, value: str) -> None:
    async def work(session: ReadSession) -> object:
        return await session.scalar(text(f"SHOW {name}"))

    assert await database.read(work) == value
