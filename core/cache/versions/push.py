"""Tells all processes the versions that this one's commits made: after each COMMIT, on a connection of its own.

A transaction that notifies commits alone in the whole database, with its own wait for the disk. One that only notifies
writes nothing, waits for no disk, and holds up nobody. Nothing rests on it: what is not told, because this process dies
between a commit and its push or cannot connect, is polled within the bound.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from core import times
from core.cache.versions.map import VersionMap
from core.cache.versions.payload import CHANNEL, POLL, Told, payload_of
from core.cache.versions.vector import Vector
from core.db.connections.connection import APPLICATION, ServiceConnection, connect_to_primary
from core.db.failures import is_away
from core.telemetry.log import logger
from core.telemetry.trace import VersionRow

GATHER = 0.003
"""Seconds for which versions are gathered before they are sent together."""
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
"""Seconds between tries to connect."""
SETTINGS = {"timezone": "UTC"}


class Push:
    """One per process that serves. `Database` tells it each commit's versions; the version map learns them first."""

    def __init__(self, dsn: str, versions: VersionMap) -> None:
        """`dsn`: of a direct connection, as the listener's. It is opened by the first commit."""
        self._dsn = dsn
        self._versions = versions
        self._gathered: Vector = {}
        self._timeline: str | None = None
        """Of those gathered."""
        self._says_poll = False
        """What was made is not known, so others are to poll."""
        self._waiting = asyncio.Event()
        """There is something to send."""
        self._sent = asyncio.Event()
        """There is not, and it has arrived."""
        self._sent.set()
        self._pause = SHORTEST_PAUSE

    # --- what Database tells

    def learn_committed(self, rows: Iterable[VersionRow], timeline: str | None) -> None:
        """Versions read after a COMMIT, and the id of the timeline that they were read in."""
        read = list(rows)
        self._versions.learn_committed(read, timeline)
        if self._gathered and timeline != self._timeline:
            self._says_poll = True  # of two timelines
        self._timeline = timeline
        for clinic_id, topic, version in read:
            self._gathered[clinic_id, topic] = max(version, self._gathered.get((clinic_id, topic), 0))
        self._send_soon()

    def distrust(self) -> None:
        """Nobody knows whether a COMMIT happened, or which versions it made."""
        self._versions.distrust()
        self._says_poll = True
        self._send_soon()

    def _send_soon(self) -> None:
        self._sent.clear()
        self._waiting.set()

    # --- sending

    async def run(self) -> None:
        """Send what is gathered. Runs until cancelled; connects anew by itself."""
        while True:
            await self._waiting.wait()
            try:
                connection = await connect_to_primary(
                    self._dsn, name=f"{APPLICATION}-push", settings=SETTINGS, within=times.CONNECT
                )
                try:
                    await self._send_over(connection)
                finally:
                    # Not close(): that waits for an answer, and a hung server gives none.
                    connection.terminate()
            except Exception as error:  # noqa: BLE001  whatever it is: others poll
                if self._pause == SHORTEST_PAUSE:
                    logger.warning("versions cannot be pushed", exc_info=None if is_away(error) else error)
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def _send_over(self, connection: ServiceConnection) -> None:
        """Until the connection is found closed. Raises what sending raises."""
        while True:
            await self._waiting.wait()
            await asyncio.sleep(GATHER)
            if connection.is_closed():
                return
            payload = self._take()
            try:
                async with asyncio.timeout(times.CONNECT):
                    await connection.execute(notify(payload))
            except BaseException:
                self._says_poll = True
                self._send_soon()
                raise
            self._pause = SHORTEST_PAUSE
            if not self._waiting.is_set():
                self._sent.set()

    def _take(self) -> str:
        payload = POLL if self._says_poll else payload_of(Told(self._gathered, self._timeline))
        self._gathered, self._says_poll = {}, False
        self._waiting.clear()
        return payload

    async def drain(self, within: float) -> None:
        """At shutdown: let what is gathered be sent, `within` seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._sent.wait()


def notify(payload: str) -> str:
    """The NOTIFY of a payload as SQL without parameters: it is one message, which a pooler carries too."""
    quoted = payload.replace("'", "''")
    return f"SELECT pg_notify('{CHANNEL}', '{quoted}')"
