"""Reads that are stored nowhere, such as those of patients: computed once for all who ask the same within a second.

A computation, and what it gave, is shared only under the versions that it began under, and within the second of the
database's clock in which it began. Neither makes an answer older than the two seconds that any may be without saying
so: whatever was written before it was asked for, and is not in the answer, has a version that this process did not know
of then, though its lease held; so it was written within the lease. And what time alone changes is told for that second,
which is past by less than one. Where versions do not tell of every write nothing is shared but what begins now.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

from core.cache.keys import Parameters, digest
from core.cache.policy import Policy
from core.cache.single_flight import Flights
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.map import VersionMap
from core.cache.versions.vector import Vector
from core.telemetry.trace import current

BOUND = 8 * 1024 * 1024
"""Bytes of answers that are kept for the rest of their second."""


@dataclass(frozen=True, slots=True)
class UnstoredRead:
    """A read whose answer is stored nowhere, and shared by those who ask the same at one moment."""

    policy: Policy
    """Its topics are those that the answer depends on; its time and shape say nothing here."""
    clinic_id: int | None
    """None: the network."""
    parameters: Parameters
    """All that decides the answer beside the clinic."""
    compute: Callable[[datetime], Awaitable[bytes]]
    """Of the moment at which it is asked for: the database's clock in whole seconds."""


class UnstoredReads:
    """Shares reads that are stored nowhere: one computation for all who ask the same at one moment. One per process."""

    def __init__(self, versions: VersionMap, direct: DirectReads) -> None:
        self._versions = versions
        self._direct = direct
        self._flights: Flights[bytes] = Flights()
        self.answers = AnswersOfASecond()
        versions.on_restored.append(self.answers.clear)

    async def read(self, asked: UnstoredRead, *, required: Vector) -> bytes:
        """What `asked.compute` gives, to this caller or to another one that asked the same under the same versions in
        the same second: nobody gets an answer from before a write that this process knows of, or whose version the
        caller requires.

        Raises Unavailable where those cannot be known, and what `compute` raises.
        """
        started = perf_counter()
        if required:
            await self._direct.require(required)
        await self._direct.ensure_fresh()
        # Nothing awaits from here until the flight is joined.
        second = int(self._versions.now())
        token = asked.policy.token_now(self._versions, asked.clinic_id)
        key = f"{second}:{asked.policy.name}:{asked.clinic_id or 0}:{token}:{digest(asked.parameters)}"
        is_shared = self._versions.is_whole
        body = self.answers.get(second, key) if is_shared else None
        joined = body is not None
        if body is None:

            async def compute() -> bytes:
                made = await asked.compute(datetime.fromtimestamp(second, UTC))
                if is_shared:
                    self.answers.keep(second, key, made)
                return made

            # Where versions do not tell of every write, only what begins now has those before it.
            join = self._flights.join if is_shared else self._flights.join_next
            body, joined = await join(key, compute)
        ms = (perf_counter() - started) * 1000
        current().cached(asked.policy.name, "bypass", "database", ms=ms, collapsed=joined)
        return body

    def __len__(self) -> int:
        """Computations under way."""
        return len(self._flights)

    async def drain(self, within: float) -> None:
        """At shutdown: let computations end, `within` seconds at most."""
        await self._flights.drain(within)


class AnswersOfASecond:
    """Answers by their keys, in memory, BOUND bytes at most; none is there after its second, asked for or not."""

    def __init__(self) -> None:
        self._second = 0
        self._bodies: dict[str, bytes] = {}
        self._size = 0

    def get(self, second: int, key: str) -> bytes | None:
        return self._bodies.get(key) if second == self._second else None

    def keep(self, second: int, key: str, body: bytes) -> None:
        """Unless another second has begun here, or there is no room."""
        if second > self._second:
            self.clear()
            self._second = second
            asyncio.get_running_loop().call_later(1, self._end, second)
        if second == self._second and self._size + len(body) <= BOUND:
            self._bodies[key] = body
            self._size += len(body)

    def _end(self, second: int) -> None:
        if second == self._second:
            self.clear()

    def __len__(self) -> int:
        return len(self._bodies)

    def clear(self) -> None:
        self._bodies.clear()
        self._size = 0
