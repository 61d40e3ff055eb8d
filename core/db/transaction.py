"""The only commit(): every read and write of the service runs through `Database`.

Work is a function of a session, because it may have to run again: deferred triggers surface deadlocks and
serialization failures at COMMIT. It must therefore have no effect but through its session.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Protocol, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from core import times
from core.background import Background
from core.db.bumps import pending_bumps, versions_of
from core.db.connections.waits import Waits
from core.db.failures import is_again, is_away, is_forgotten, is_of_schema
from core.deadline import left
from core.errors import Unavailable
from core.telemetry.trace import VersionRow, current

T = TypeVar("T")

ATTEMPTS = 3

SUBSCRIBED = (
    "EXISTS (SELECT FROM pg_subscription_rel"
    " WHERE EXISTS (SELECT FROM pg_trigger WHERE tgrelid = srrelid AND tgname = 'cache_stamp_insert'))"
)
"""SQL: whether logical replication may write into a table that stamps versions. Triggers of statements do not fire then
(PostgreSQL's manual, "Logical Replication: Architecture"): such rows leave no stamp."""
FINGERPRINT = f"(SELECT CASE WHEN NOT {SUBSCRIBED} THEN cache_fingerprint() END)"
"""SQL: of the stamped tables and their triggers (migration 0015); null where changes may leave no stamp."""
IS_WHOLE = f"coalesce({FINGERPRINT} = (SELECT fingerprint FROM cache_timeline), false)"  # noqa: S608
"""SQL: whether versions read in this snapshot are those of the rows in it (core/cache/versions/timeline.py)."""
OVERTAKEN = text(
    "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = CAST('public' AS regnamespace) AND relkind = 'r'"
    " AND relfilenode <> 0 AND pg_relation_filenode(oid) IS DISTINCT FROM relfilenode)"
)
"""Whether a table was emptied, rewritten or dropped since the snapshot: its file then is not its file now."""
LOOK_WHOLE = text(f"SELECT {IS_WHOLE}")
WRITES_NOTHING = text("DELETE FROM idempotency_key WHERE false")
"""Refused in a transaction that is read-only; takes no lock that a write would wait for, and no transaction's id."""


class ReadSession(AsyncSession):
    """In a READ ONLY transaction: PostgreSQL itself refuses a write."""


class WriteSession(AsyncSession):
    """In a transaction that `Database.write` commits."""


Session = ReadSession | WriteSession


class Stamps(Protocol):
    """What learns the versions that a commit made: the process's version map, and through it other processes."""

    def learn_committed(self, rows: Iterable[VersionRow], timeline: str | None) -> None:
        """`rows` were read after a COMMIT, in the timeline with that id."""

    def distrust(self) -> None:
        """A commit's versions could not be read: the map may be older than what this process wrote."""


class Database:
    """Runs reads and writes. `stamps` learns the versions of each commit."""

    def __init__(self, engine: AsyncEngine, stamps: Stamps) -> None:
        self.engine = engine
        self.waits = Waits()
        self._stamps = stamps
        self._abandoned = Background()

    async def read(self, work: Callable[[ReadSession], Awaitable[T]], *, budget: float = times.DATABASE) -> T:
        """What `work` gives, run in one READ ONLY transaction, within `budget` seconds or the request's deadline.

        Raises Unavailable where the database is away or the time is over, and what `work` raises.
        """
        return await self._run(lambda: self._read_once(work, "READ COMMITTED"), budget)

    async def snapshot(self, work: Callable[[ReadSession], Awaitable[T]], *, budget: float = times.DATABASE) -> T:
        """Like `read`, every statement seeing one snapshot. Where a table was replaced meanwhile, `work` runs again."""
        return await self._run(lambda: self._read_once(work, "REPEATABLE READ"), budget)

    async def write(self, work: Callable[[WriteSession], Awaitable[T]], *, budget: float = times.DATABASE) -> T:
        """Run `work` and commit; again, up to three times, when it lost a race.

        Raises Unavailable where the database is away, and what `work` raises. After a COMMIT that failed nobody here
        knows whether it happened: a client learns that by sending the request again with the same Idempotency-Key.
        """
        return await self._run(lambda: self._write_once(work), budget, writes=True)

    async def try_write(self, *, budget: float) -> None:
        """Find out whether rows can be written, by a statement that needs that and writes none, in `budget` seconds.

        Raises Unavailable where the database is away or takes no writes: a standby, a demoted primary.
        """

        async def once() -> None:
            async with self.engine.connect() as connection:
                await connection.execute(WRITES_NOTHING)
                await connection.rollback()

        await self._run(once, budget)

    async def _read_once(self, work: Callable[[ReadSession], Awaitable[T]], isolation: str) -> T:
        async with self._connected() as plain:
            connection = await plain.execution_options(isolation_level=isolation, postgresql_readonly=True)
            async with ReadSession(bind=connection, expire_on_commit=False) as session:
                result = await work(session)
                # In a table that was truncated, rewritten or made anew an older snapshot sees no row at all. What was
                # read is locked by now: nobody replaces it after this.
                if isolation == "REPEATABLE READ" and await session.scalar(OVERTAKEN):
                    raise Overtaken
                return result

    async def _write_once(self, work: Callable[[WriteSession], Awaitable[T]]) -> T:
        async with self._connected() as connection:
            async with WriteSession(bind=connection, expire_on_commit=False) as session:
                result = await work(session)
                pending = await pending_bumps(session)
                await self._commit(session)
            if pending:
                await self._learn(connection, pending)
            return result

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as held:
            with self.waits.one():
                connection = await held.enter_async_context(self.engine.connect())
            try:
                yield connection
            except Exception as error:
                if is_forgotten(error):
                    await connection.invalidate(error)
                raise

    async def _commit(self, session: WriteSession) -> None:
        try:
            await session.commit()
        except BaseException as error:
            if is_again(error):
                raise
            # It may have happened all the same, and then this process has written what its map does not know.
            self._stamps.distrust()
            raise CommitFailed from error

    async def _learn(self, connection: AsyncConnection, pending: str) -> None:
        """After COMMIT, on the same connection: the versions that it made, or newer ones."""
        try:
            made = await versions_of(connection, pending)
            self._stamps.learn_committed(made.versions, made.timeline)
            current().cache_versions_made += made.versions
            await connection.rollback()
        except BaseException as error:
            self._stamps.distrust()
            if not is_away(error):
                raise

    async def _run(
        self, once: Callable[[], Awaitable[T]], budget: float, *, writes: bool = False, looks: bool = True
    ) -> T:
        async def attempts() -> T:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return await once()
                except CommitFailed as failed:
                    raise failed.__cause__ or failed from None
                except Exception as error:
                    # A pool's connections from before a restart fail together; the next one is new.
                    last = attempt == ATTEMPTS or (is_away(error) and (attempt > 1 or not was_connected(error)))
                    if last or not (is_again(error) or is_away(error)):
                        raise
            raise AssertionError("unreachable: the last attempt returns or raises")

        seconds = left(budget)
        task = asyncio.ensure_future(attempts())
        try:
            done, _ = await asyncio.wait({task}, timeout=seconds)
        except asyncio.CancelledError:
            task.cancel()
            self._abandon(task, writes=writes)
            raise
        if not done:
            # A hung server answers neither the cancel nor the rollback: their end is not waited for.
            task.cancel()
            self._abandon(task, writes=writes)
            raise Unavailable
        try:
            return task.result()
        except Exception as error:
            if is_away(error) or (looks and is_of_schema(error) and not await self._is_whole()):
                raise Unavailable from error
            raise

    async def _is_whole(self) -> bool:
        """Whether the tables are complete; in the middle of a restore in place they are not."""

        async def look(session: ReadSession) -> bool:
            return bool(await session.scalar(LOOK_WHOLE))

        try:
            return await self._run(lambda: self._read_once(look, "READ COMMITTED"), times.DATABASE, looks=False)
        except (Unavailable, DBAPIError):
            # What is looked at, or the right to do so, may be what is not there yet.
            return False

    def _abandon(self, task: "asyncio.Task[T]", *, writes: bool) -> None:
        if writes:
            # At once: it may have committed, and its cancellation takes its time to get here.
            self._stamps.distrust()

        async def end() -> None:
            with suppress(Exception, asyncio.CancelledError):
                await task

        self._abandoned.start(end(), name="abandoned statement")


class Overtaken(Unavailable):
    """A snapshot that tables were replaced under: read again."""

    sqlstate = "40001"
    """As PostgreSQL would call it, if it did."""


class CommitFailed(Exception):
    """COMMIT itself failed: it may have happened, so nothing is tried again."""


def was_connected(error: BaseException) -> bool:
    """Whether an established connection broke, rather than a new one failing to be made."""
    return bool(getattr(error, "connection_invalidated", False))
