"""Keeping the version map true: LISTEN and a poll each second on its own connection, direct reads when they fail."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import text

from core.cache.single_flight import Flights
from core.cache.versions.map import LEASE, Poll, Vector, VersionMap
from core.cache.versions.timeline import ID, STAMPED, Timeline, begin
from core.clock import boottime
from core.db.connection import APPLICATION, ServiceConnection
from core.db.failures import is_away, is_of_schema
from core.db.primary import connect_to_primary
from core.db.transaction import Database, ReadSession
from core.errors import Unavailable
from core.log import logger
from core.trace import VersionRow

CHANNEL = "ticket_home"
SETTINGS = {"timezone": "UTC"}
INTERVAL = 1.0
"""Seconds between polls: one may be lost before the lease of two seconds lapses."""
DIRECT_BUDGET = 0.5
CONNECT_TIMEOUT = 1.5

POLL = f"""
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, extract(epoch FROM clock_timestamp())::float8 AS now,
       pg_is_in_recovery() AS standby, cache_fingerprint() AS fingerprint, {STAMPED} AS stamped, {ID} AS id,
       count(*) AS number, coalesce(sum(version), 0)::text AS total,
       coalesce(array_agg(clinic_id) FILTER (WHERE is_asked), '{{}}') AS clinics,
       coalesce(array_agg(topic::text) FILTER (WHERE is_asked), '{{}}') AS topics,
       coalesce(array_agg(version) FILTER (WHERE is_asked), '{{}}') AS versions
FROM (SELECT clinic_id, topic, version, changed_in >= ($1::text)::xid8 AS is_asked FROM cache_version) AS v
"""  # noqa: S608
DIRECT = text(POLL.replace("($1::text)::xid8", "CAST(CAST(:since AS text) AS xid8)").replace("::", "\\:\\:"))

EVERYTHING = "0"
READ = "version rows"
"""All direct reads are one flight."""


class NotPrimary(ConnectionError):
    """A standby answered, a demoted primary perhaps: how far behind it is nobody knows."""


def poll_of(row: Any, *, full: bool) -> Poll:
    if row["standby"]:
        raise NotPrimary("the database is a standby")
    rows: list[VersionRow] = list(zip(row["clinics"], row["topics"], row["versions"], strict=True))
    timeline = Timeline(row["fingerprint"], row["stamped"], row["id"])
    return Poll(rows, row["xmin"], row["now"], full, timeline, row["number"], int(row["total"]))


class Ledger:
    """The version rows as polls told them, to see whether anything changed that no poll tells: a row that was deleted,
    or put back as it once was. Not the map, which learns from notifications, too, and may be ahead of the last poll."""

    def __init__(self) -> None:
        self._rows: Vector = {}
        self._total = 0

    def agrees(self, poll: Poll) -> bool:
        """Take a poll's rows; False where the table has others than those told so far."""
        if poll.full:
            self._rows, self._total = {}, 0
        for clinic_id, topic, version in poll.rows:
            key = (clinic_id, topic)
            self._total += version - self._rows.get(key, 0)
            self._rows[key] = version
        return (len(self._rows), self._total) == (poll.number, poll.total)


class Listener:
    """The dedicated connection. Runs until cancelled; reconnects by itself, and then reads all rows again."""

    def __init__(
        self, dsn: str, versions: VersionMap, new_timeline: Callable[..., Awaitable[None]], *, push: bool
    ) -> None:
        self._dsn = dsn
        self._versions = versions
        self._new_timeline = new_timeline
        self._told_unstamped = False
        self._xmin = 0
        """Of the last poll, over all connections: it never goes back, but where the server's files were put back."""
        self._push = push
        self._wake = asyncio.Event()
        self.connected = False

    async def run(self) -> None:
        pause = 0.1
        told = False
        while True:
            try:
                await self._serve_one_connection()
            except Exception as error:  # noqa: BLE001  whatever it is: without a listener every request reads versions
                if self.connected:
                    pause, told = 0.1, False
                self.connected = False
                # What comes back may be another timeline, restored from a backup, with lower versions than we know.
                self._versions.distrust()
                if not told:
                    logger.warning(
                        "version listener lost its connection",
                        exc_info=None if is_away(error) or is_of_schema(error) else error,
                    )
                    told = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)

    async def _serve_one_connection(self) -> None:
        connection = await connect_to_primary(
            self._dsn, name=f"{APPLICATION}-versions", settings=SETTINGS, within=CONNECT_TIMEOUT
        )
        try:
            connection.add_termination_listener(self._terminated)
            if self._push and connection.is_pooled:
                logger.warning("a pooler swallows notifications: versions are polled. Set DATABASE_LISTEN_URL")
            elif self._push:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await connection.add_listener(CHANNEL, self._notified)
            since = EVERYTHING
            ledger = Ledger()
            tried = False
            while True:
                self._wake.clear()
                poll = await self._poll(connection, since)
                if not ledger.agrees(poll):
                    logger.warning("version rows changed without a trace: all are read again")
                    self._versions.distrust()
                    since = EVERYTHING
                    continue
                went_back = int(poll.xmin) < self._xmin
                if (poll.timeline.is_new or went_back) and not tried:
                    tried = True
                    with suppress(Unavailable):
                        await self._new_timeline(in_any_case=went_back)
                        self._xmin = int(poll.xmin)
                    since = EVERYTHING
                    continue
                # Where it could not be noted, it is tried again with the next poll, and not at once.
                tried = False
                self._xmin = max(self._xmin, int(poll.xmin))
                self._tell_unstamped(poll.timeline)
                # A pooler may lead to another server by now, restored from a backup: its transactions have other ids.
                since = EVERYTHING if connection.is_pooled or not self._versions.is_fresh() else poll.xmin
                if not self.connected:
                    self.connected = True
                    logger.info("version listener connected", versions=len(self._versions))
                with suppress(TimeoutError):
                    async with asyncio.timeout(INTERVAL):
                        await self._wake.wait()
                if connection.is_closed():
                    raise ConnectionResetError("the listening connection was closed")
        finally:
            # Not close(): that waits for an answer, and a hung server gives none.
            connection.terminate()

    def _tell_unstamped(self, timeline: Timeline) -> None:
        if timeline.is_new and not self._told_unstamped:
            logger.error("tables were restored or rewritten, and that cannot be noted: nothing is cached")
        elif not timeline.is_whole and not self._told_unstamped:
            logger.error("triggers that stamp versions are missing or off: nothing is cached. Run ticket-home doctor")
        self._told_unstamped = not timeline.is_whole

    async def _poll(self, connection: ServiceConnection, since: str) -> Poll:
        learnt = self._versions.poll_started()
        sent_at = boottime()
        try:
            # Longer than a lease, a poll's answer is worth nothing.
            async with asyncio.timeout(LEASE):
                row = await _row(connection, since)
            poll = poll_of(row, full=since == EVERYTHING)
        except BaseException:
            self._versions.poll_failed(learnt)
            raise
        self._versions.polled(poll, learnt, sent_at)
        return poll

    def _terminated(self, _connection: object) -> None:
        self._versions.distrust()
        self._wake.set()

    def _notified(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        rows = parse_payload(str(payload))
        if rows is None:
            self._wake.set()
        else:
            self._versions.committed(rows)


async def _row(connection: ServiceConnection, since: str) -> Any:
    if not connection.is_pooled:
        return await connection.fetchrow(POLL, since)
    # Not `async with`: that would wait for a hung server's ROLLBACK.
    transaction = connection.transaction(readonly=True)
    await transaction.start()
    row = await connection.fetchrow(POLL, since)
    await transaction.commit()
    return row


def parse_payload(payload: str) -> list[VersionRow] | None:
    """`5/figures=17 0/clinics=3` → rows. None where it says "poll", or is none of ours."""
    rows: list[VersionRow] = []
    try:
        for word in payload.split():
            name, version = word.rsplit("=", 1)
            clinic, topic = name.split("/", 1)
            rows.append((int(clinic), topic, int(version)))
    except ValueError:
        return None
    return rows


class DirectReads:
    """Version rows read by requests themselves, when the lease has lapsed or they require newer. One at a time."""

    def __init__(self, database: Database, versions: VersionMap) -> None:
        self._database = database
        self._versions = versions
        self._reads: Flights[None] = Flights()

    async def ensure_fresh(self) -> None:
        """Return with the lease valid, or having seen just now that the versions are not whole: then nothing that is
        kept is right. Raises Unavailable where the database is away."""
        while not self._versions.is_fresh():
            await self._reads.join(READ, self._read)
            if not self._versions.is_whole:
                return

    async def require(self, floor: Vector) -> None:
        """Return with the map at `floor` or, where that is impossible, with a map read after this call began."""
        if self.behind(floor):
            # It may have begun before the write that we are asked for, or be what brings it.
            await self._reads.landed(READ)
        if self.behind(floor):
            await self._reads.join(READ, self._read)

    def behind(self, floor: Vector) -> bool:
        """Whether the map has not reached `floor`."""
        return any(self._versions.get(*key) < version for key, version in floor.items())

    async def _read(self) -> None:
        if (await self._read_once()).is_new:
            with suppress(Unavailable):  # nothing can be written: nothing is kept, then, but all can be read
                await begin(self._database)
            await self._read_once()

    async def _read_once(self) -> Timeline:
        async def work(session: ReadSession) -> Poll:
            row = (await session.execute(DIRECT, {"since": EVERYTHING})).mappings().one()
            return poll_of(row, full=True)

        learnt = self._versions.poll_started()
        sent_at = boottime()
        try:
            poll = await self._database.read(work, budget=DIRECT_BUDGET)
        except BaseException as error:
            self._versions.poll_failed(learnt)
            if is_away(error):
                raise Unavailable from error
            raise
        self._versions.polled(poll, learnt, sent_at)
        return poll.timeline
