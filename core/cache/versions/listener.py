"""The listener keeps the version map true: notifications as they come, and a poll each second, on one connection."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any

from core import times
from core.cache.versions.map import VersionMap
from core.cache.versions.payload import CHANNEL, parse_payload
from core.cache.versions.snapshot import ALL_ROWS, READ, Ledger, RowName, VersionSnapshot, snapshot_of
from core.cache.versions.timeline import Timeline
from core.cache.versions.vector import Vector
from core.clock import boottime
from core.db.connections.connection import APPLICATION, ServiceConnection, connect_to_primary
from core.db.failures import is_away, is_of_schema
from core.errors import Unavailable
from core.telemetry.log import logger

SETTINGS = {"timezone": "UTC"}
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
"""Seconds between tries to connect."""


class Listener:
    """The dedicated connection. Runs until cancelled; reconnects by itself, and then reads all rows again.

    `new_timeline(in_any_case=…)` bumps every version; it raises Unavailable where nothing can be written.
    """

    def __init__(
        self, dsn: str, versions: VersionMap, new_timeline: Callable[..., Awaitable[None]], *, push: bool
    ) -> None:
        self._dsn = dsn
        self._versions = versions
        self._new_timeline = new_timeline
        self._xmin = 0
        """Of the last poll, over all connections: it goes back only where the server's files were put back."""
        self._push = push
        self._wake = asyncio.Event()
        self._heard: Vector = {}
        """Versions that notifications told since the last poll was sent."""
        self._heard_of: str | None = None
        """A notification told of the timeline with that id since then, which was not the known one."""
        self._logged_unstamped = False
        self.connected = False
        """Polls are answered."""
        self._is_listening = False
        """LISTEN was sent on the connection, and nothing in between swallows what it brings."""

    @property
    def is_told(self) -> bool:
        """Whether changes are pushed to this process. Without it they are polled."""
        return self.connected and self._is_listening

    async def run(self) -> None:
        pause = SHORTEST_PAUSE
        logged = False
        while True:
            try:
                await self._serve_one_connection()
            except Exception as error:  # noqa: BLE001  whatever it is: without a listener every request reads versions
                if self.connected:
                    pause, logged = SHORTEST_PAUSE, False
                self.connected = False
                # What comes back may be another timeline, restored from a backup, with lower versions than we know.
                self._versions.distrust()
                if not logged:
                    logger.warning(
                        "version listener lost its connection",
                        exc_info=None if is_away(error) or is_of_schema(error) else error,
                    )
                    logged = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _serve_one_connection(self) -> None:
        connection = await connect_to_primary(
            self._dsn, name=f"{APPLICATION}-versions", settings=SETTINGS, within=times.CONNECT
        )
        try:
            connection.add_termination_listener(self._terminated)
            self._is_listening = self._push and not connection.is_pooled
            if self._push and connection.is_pooled:
                logger.warning("a pooler swallows notifications: versions are polled. Set DATABASE_LISTEN_URL")
            if self._is_listening:
                async with asyncio.timeout(times.CONNECT):
                    await connection.add_listener(CHANNEL, self._notified)
            await self._poll_until_closed(connection)
        finally:
            # Not close(): that waits for an answer, and a hung server gives none.
            connection.terminate()

    async def _poll_until_closed(self, connection: ServiceConnection) -> None:
        """Raises ConnectionResetError, and whatever a poll raises."""
        since = ALL_ROWS
        named: Collection[RowName] = ()
        ledger = Ledger()
        just_begun = False
        while True:
            self._wake.clear()
            heard, self._heard = self._heard, {}
            if self._heard_of not in (None, self._versions.timeline_id):
                since = ALL_ROWS
            self._heard_of = None
            snapshot = await self._poll(connection, since, named)
            if not ledger.agrees(snapshot):
                logger.warning("version rows changed without a trace: all are read again")
                self._versions.distrust()
                since = ALL_ROWS
                continue
            went_back = int(snapshot.xmin) < self._xmin
            in_any_case = went_back or self._versions.is_missing_stamps
            if (snapshot.timeline.is_new or in_any_case) and not just_begun:
                # Where it cannot be written, the next try is after the next poll's pause, and not at once.
                just_begun = True
                with suppress(Unavailable):
                    await self._new_timeline(in_any_case=in_any_case)
                    self._xmin = int(snapshot.xmin)
                since = ALL_ROWS
                continue
            just_begun = False
            self._xmin = max(self._xmin, int(snapshot.xmin))
            self._log_unstamped(snapshot.timeline)
            # A pooler may lead to another server by now, restored from a backup: its transactions have other ids.
            since = ALL_ROWS if connection.is_pooled or not self._versions.is_fresh() else snapshot.xmin
            if not self.connected:
                self.connected = True
                logger.info("version listener connected", versions=len(self._versions))
            # After a fail-over that lost a commit, a late notification of it must not bring the lost timeline over. Nor
            # does one that nobody sent.
            named = () if snapshot.full else ledger.unseen(heard)
            if named:
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(times.POLL_EVERY):
                    await self._wake.wait()
            if connection.is_closed():
                raise ConnectionResetError("the listening connection was closed")

    def _log_unstamped(self, timeline: Timeline) -> None:
        if timeline.is_new and not self._logged_unstamped:
            logger.error("tables were restored or rewritten, and that cannot be noted: nothing is cached")
        elif not timeline.is_whole and not self._logged_unstamped:
            logger.error("changes of tables may stamp no versions: nothing is cached. Run ticket-home doctor")
        self._logged_unstamped = not timeline.is_whole

    async def _poll(self, connection: ServiceConnection, since: str, named: Collection[RowName]) -> VersionSnapshot:
        learnt = self._versions.read_started()
        sent_at = boottime()
        try:
            # A poll that takes longer than a lease renews nothing.
            async with asyncio.timeout(times.VERSION_LEASE):
                row = await _row(connection, since, [f"{clinic_id}/{topic}" for clinic_id, topic in named])
            snapshot = snapshot_of(row, full=since == ALL_ROWS, named=named)
        except BaseException:
            self._versions.read_failed(learnt)
            raise
        self._versions.read_ended(snapshot, learnt, sent_at)
        return snapshot

    def _terminated(self, _connection: object) -> None:
        self._versions.distrust()
        self._wake.set()

    def _notified(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        told = parse_payload(str(payload))
        if told is None:
            self._wake.set()
        elif None not in (told.timeline, self._versions.timeline_id) and told.timeline != self._versions.timeline_id:
            # This process has not seen the newest one yet; or it was told late, of one that is gone.
            self._heard_of = told.timeline
            self._wake.set()
        else:
            for name, version in told.versions.items():
                self._heard[name] = max(version, self._heard.get(name, 0))
            self._versions.learn((*name, version) for name, version in told.versions.items())


async def _row(connection: ServiceConnection, since: str, named: Collection[str]) -> Any:
    if not connection.is_pooled:
        return await connection.fetchrow(READ, since, named)
    # Not `async with`: that would wait for a hung server's ROLLBACK.
    transaction = connection.transaction(readonly=True)
    await transaction.start()
    row = await connection.fetchrow(READ, since, named)
    await transaction.commit()
    return row
