"""Reads that are stored nowhere, such as those of patients: computed once for all who ask the same at one moment."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter

from core.cache.keys import Parameters, digest
from core.cache.policy import Policy
from core.cache.single_flight import Flights
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.map import VersionMap
from core.cache.versions.vector import Vector
from core.trace import current


@dataclass(frozen=True, slots=True)
class UnstoredRead:
    policy: Policy
    """Its topics are those that the answer depends on; its time and shape say nothing here."""
    clinic_id: int | None
    """None: the network."""
    parameters: Parameters
    """All that decides the answer beside the clinic."""
    compute: Callable[[], Awaitable[bytes]]


class UnstoredReads:
    """One per process."""

    def __init__(self, versions: VersionMap, direct: DirectReads) -> None:
        self._versions = versions
        self._direct = direct
        self._flights: Flights[bytes] = Flights()

    async def read(self, asked: UnstoredRead, *, required: Vector) -> bytes:
        """What `asked.compute` gives, to this caller or to another one that asked the same.

        A computation is shared only by those who ask under the versions that it began under: nobody gets an answer from
        before a write that this process knows of, or whose version the caller requires. Raises Unavailable where those
        cannot be known, and what `compute` raises.
        """
        started = perf_counter()
        if required:
            await self._direct.require(required)
        await self._direct.ensure_fresh()
        # Nothing awaits from here until the flight is joined.
        token = asked.policy.token_now(self._versions, asked.clinic_id)
        key = f"{asked.policy.name}:{asked.clinic_id or 0}:{token}:{digest(asked.parameters)}"
        # Where versions do not tell of every write, only what begins now has those before it.
        join = self._flights.join if self._versions.is_whole else self._flights.join_next
        body, joined = await join(key, asked.compute)
        ms = (perf_counter() - started) * 1000
        current().cached(asked.policy.name, "bypass", "database", ms=ms, collapsed=joined)
        return body

    def __len__(self) -> int:
        """Computations under way."""
        return len(self._flights)

    async def drain(self, within: float) -> None:
        """At shutdown: let computations end, `within` seconds at most."""
        await self._flights.drain(within)
