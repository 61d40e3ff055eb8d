"""A canary: a row that is written every few seconds and read through the cache as any reader reads, so that how old
answers are is seen and not inferred.

Every process that serves reads it twice a second, and writes it where it finds that nobody has for `seconds`; of
several that find so at once the row lets one. That read came too late is known once a newer value is read: each value
says when it was written, and whoever had asked after that, and was given the one before, was given an old answer.

It costs the installation a commit, which waits for no disk, and a fill each `seconds`, and each process a look in
memory. Its versions are of a topic of its own, that no other answer's key has.
"""

import asyncio
import json
import random
from collections import defaultdict, deque
from math import isfinite
from typing import Final

from sqlalchemy import text

from core import times
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.policy import Policy
from core.cache.read_through import Cache
from core.cache.versions.map import VersionMap
from core.clock import boottime
from core.db.transaction import Database, WriteSession
from core.errors import Unavailable
from core.telemetry.log import warn_seldom
from core.telemetry.longest import Longest
from core.telemetry.trace import VersionRow

TOPIC: Final = "canary"
READ_EVERY: Final = 0.5
"""Seconds, in each process."""
CANARY_READS: Final = ("current", "overtaken", "stale", "labelled", "failed")
"""Outcomes: `overtaken` by a write no longer ago than this service promises; `stale`, longer ago, and not labelled."""
CANARY_WRITES: Final = ("written", "beaten", "failed")
"""Outcomes: `beaten` by another process."""
HELD: Final = 1000
"""Reads of one value whose verdict is still open."""
READ = text("SELECT extract(epoch FROM max(written_at))::float8 FROM canary")
WRITE = text(f"""
INSERT INTO {TOPIC} AS c (written_at) VALUES (clock_timestamp())
ON CONFLICT (is_only) DO UPDATE SET written_at = excluded.written_at
WHERE abs(extract(epoch FROM excluded.written_at - c.written_at)) >= CAST(:pause AS float8)
RETURNING 1
""")  # noqa: S608  ours
AT_ONCE = text("SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '200ms', true)")
"""What is written is seen a moment after it says that it was, or never: it waits for no disk, and for no lock."""
PAUSE: Final = 0.8
"""Of `seconds`: whoever lost the race for a write finds one that is newer than this."""


async def _load(fill: Fill) -> Loaded:
    return Loaded(json.dumps(await fill.session.scalar(READ)).encode())


ASKED: Final = CachedRead(Policy(TOPIC, 60.0, "1", topics=(), global_topics=(TOPIC,)), 0, {}, _load)
"""The answer is the epoch second of the last write, by the database's clock; null before the first."""


class Canary:
    """One per process; `run` does the work. `seconds` between two writes of the whole installation; 0: it is off."""

    def __init__(self, database: Database, versions: VersionMap, cache: Cache, seconds: float) -> None:
        self._database = database
        self._versions = versions
        self._cache = cache
        self._seconds = seconds
        self._written_at: float | None = None
        """Of the value that was read last."""
        self._asked: deque[float] = deque(maxlen=HELD)
        """When it was asked for and given, by the database's clock."""
        self._learnt_at: float | None = None
        self._moved_at = boottime()
        self._tried_at = float("-inf")
        self.reads: dict[str, int] = defaultdict(int)
        """Outcome → reads."""
        self.writes: dict[str, int] = defaultdict(int)
        """Outcome → writes that this process tried."""
        self.staleness = Longest(seconds)
        """Seconds from a write until the last read that was given what was there before, and not labelled."""
        self.lag = Longest(seconds)
        """Seconds from a write until this process knew its version."""
        versions.on_change.append(self._learn)

    @property
    def is_on(self) -> bool:
        return self._seconds > 0

    def silent(self) -> float:
        """Seconds since this process read a new value, or was started; 0 where it is off."""
        return boottime() - self._moved_at if self.is_on else 0.0

    async def run(self) -> None:
        """Read, and write where it is time, until cancelled."""
        while self.is_on:
            # Not in step with other processes.
            await asyncio.sleep(random.uniform(0.8, 1.2) * READ_EVERY)  # noqa: S311  no secret
            await self.look()

    async def look(self) -> None:
        """Read once, and write where it is time. Never raises."""
        now = boottime()
        try:
            await self._read()
            written_at = self._written_at or 0.0
            is_due = abs(self._versions.now() - written_at) >= self._seconds
            if is_due and now - self._tried_at >= PAUSE * self._seconds:
                self._tried_at = now
                await self._write()
        except Unavailable:
            return  # counted, and whoever uses the database says so
        except Exception as error:  # noqa: BLE001  it goes on, and somebody hears of it
            warn_seldom("the canary failed", type(error).__name__, error=type(error).__name__)

    async def _read(self) -> None:
        asked_at, knows_clock = self._versions.now(), isfinite(self._versions.read_at)
        try:
            answer = await self._cache.read(ASKED)
        except Exception:
            self.reads["failed"] += 1
            raise
        if answer.stale:
            self.reads["labelled"] += 1
            return
        written_at: float | None = json.loads(answer.entry.body)
        if written_at != self._written_at:
            self._judge(self._written_at, written_at)
        if knows_clock:
            self._asked.append(asked_at)

    def _judge(self, before: float | None, written_at: float | None) -> None:
        """The reads of the value before, now that there is another one."""
        # One that is older is another timeline's: a restored database's.
        if before is not None and written_at is not None and written_at > before:
            ages = [asked_at - written_at for asked_at in self._asked]
            for age in ages:
                self.reads["current" if age <= 0 else "overtaken" if age <= times.VERSION_LEASE else "stale"] += 1
            self.staleness.note(max([0.0, *ages]), boottime())
            if self._learnt_at is not None:
                self.lag.note(max(0.0, self._learnt_at - written_at), boottime())
        self._asked.clear()
        self._written_at, self._moved_at = written_at, boottime()

    async def _write(self) -> None:
        async def work(session: WriteSession) -> bool:
            await session.execute(AT_ONCE)
            return bool(await session.scalar(WRITE, {"pause": PAUSE * self._seconds}))

        try:
            written = await self._database.write(work)
        except Exception:
            self.writes["failed"] += 1
            raise
        self.writes["written" if written else "beaten"] += 1

    def _learn(self, rows: list[VersionRow]) -> None:
        if any((clinic_id, topic) == (0, TOPIC) for clinic_id, topic, _ in rows):
            self._learnt_at = self._versions.now()
