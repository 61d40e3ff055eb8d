"""A fill: one computation from the database, in one snapshot whose version rows were read first."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import text

from core.cache.entry import Entry
from core.cache.keys import Parameters
from core.cache.policy import Policy
from core.cache.versions.vector import Vector
from core.db.transaction import IS_WHOLE, ReadSession
from core.errors import Unavailable

T = TypeVar("T")

AT_ONCE = 8
"""Fills at once per process: an empty Redis must not become a full database."""
BUDGET = 2.0
"""Seconds, the wait for a turn and for a connection included; then stale, or 503."""

ALL_VERSIONS = text(f"SELECT clinic_id, topic, version, {IS_WHOLE} AS is_whole FROM cache_version")  # noqa: S608
VERSIONS = text(f"{ALL_VERSIONS.text} WHERE clinic_id = ANY(:clinics)")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a loader computed: the encoded answer, and until when the clock alone leaves it right."""

    body: bytes
    valid_until: datetime | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    """Small JSON kept beside the body and never shown: what a merge needs."""
    etag_source: bytes | None = None
    """The body without what differs between two equal computations (`generated_at`)."""
    computed_at: datetime | None = None
    """Of the oldest part where parts were held; None: just now."""

    def entry(self, now: datetime) -> Entry:
        return Entry.make(
            self.body,
            computed_at=(self.computed_at or now).timestamp(),
            valid_until=self.valid_until.timestamp() if self.valid_until else None,
            meta=self.meta,
            etag_source=self.etag_source,
        )


class Shelf(Protocol):
    """Where parts are looked up and kept: the cache itself."""

    async def look_up(
        self, policy: Policy, vectors: dict[int, Vector], parameters: Parameters, now: float
    ) -> dict[int, Entry]: ...

    async def keep(
        self, policy: Policy, clinic_id: int, vector: Vector, parameters: Parameters, entry: Entry
    ) -> None: ...  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fill:
    session: ReadSession
    now: datetime
    """The database's clock as this process knows it, UTC: loaders take it as a parameter."""
    versions: Vector
    """As of this snapshot."""
    tiers: Shelf
    is_whole: bool = True
    """Whether these are the versions of the rows in this snapshot. If not, nothing of it is kept, nor what was."""

    async def parts(self, policy: Policy, clinic_ids: Iterable[int], parameters: Parameters) -> dict[int, Entry]:
        """Entries held for these clinics that are right in this snapshot and at `now`; absent ones are to compute."""
        if not self.is_whole:
            return {}
        vectors = {clinic_id: policy.vector(self.versions, clinic_id) for clinic_id in clinic_ids}
        return await self.tiers.look_up(policy, vectors, parameters, self.now.timestamp())

    async def keep(self, policy: Policy, clinic_id: int, parameters: Parameters, loaded: Loaded) -> None:
        """Store one clinic's part, computed in this snapshot."""
        if not self.is_whole:
            return
        vector = policy.vector(self.versions, clinic_id)
        await self.tiers.keep(policy, clinic_id, vector, parameters, loaded.entry(self.now))


Loader = Callable[[Fill], Awaitable[Loaded]]


async def read_versions(session: ReadSession, clinic_id: int | None) -> tuple[Vector, bool]:
    """(the rows of one clinic and of clinic 0, or all; whether they are those of the rows in this snapshot)."""
    if clinic_id is None:
        result = await session.execute(ALL_VERSIONS)
    else:
        result = await session.execute(VERSIONS, {"clinics": [0, clinic_id]})
    rows = result.all()
    is_whole = bool(rows) and all(row.is_whole for row in rows)
    return {(row.clinic_id, row.topic): row.version for row in rows}, is_whole


class Turns:
    """Bounds the fills that run at once. Raises Unavailable where no turn came in time."""

    def __init__(self, pool_size: int) -> None:
        # Two connections stay for writes, sessions and version rows, however many fills wait.
        self._turns = asyncio.Semaphore(max(1, min(AT_ONCE, pool_size - 2)))

    async def take(self, work: Callable[[float], Awaitable[T]]) -> T:
        """`work(seconds left)` once it is this fill's turn."""
        loop = asyncio.get_running_loop()
        until = loop.time() + BUDGET
        try:
            async with asyncio.timeout_at(until):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unavailable("Too many computations are waiting just now.") from error
        try:
            return await work(max(0.05, until - loop.time()))
        finally:
            self._turns.release()


def utc(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
