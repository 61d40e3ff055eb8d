"""A fill: one computation from the database, in one snapshot whose version rows were read first."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from core.cache.entry import Entry
from core.cache.keys import Parameters, digest, successor_of
from core.cache.policy import EntryId, Policy
from core.cache.tiers.both import Tiers
from core.cache.versions.vector import Vector
from core.db.transaction import IS_WHOLE, ReadSession

PLANNED_ONCE = "(SELECT set_config('plan_cache_mode', 'force_generic_plan', true) IS NOT NULL)"
"""SQL: true, and until the transaction ends a statement that its connection has prepared keeps its plan, made for no
values in particular. By itself PostgreSQL plans a dashboard's anew for each run, and twice as long as it runs
(docs/plans.md). A fill's first statement has it, for by itself it would be another message of each miss."""
ALL_VERSIONS = text(
    f"SELECT clinic_id, topic, version, {PLANNED_ONCE} AND {IS_WHOLE} AS is_whole FROM cache_version"  # noqa: S608
)
VERSIONS = text(f"{ALL_VERSIONS.text} WHERE clinic_id = ANY(:clinics)")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a loader computed."""

    body: bytes
    """The encoded answer."""
    valid_until: datetime | None = None
    """Until when the same versions give the same answer. None: for as long as nothing is written."""
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


@dataclass(frozen=True, slots=True)
class Fill:
    """What a loader computes in: one snapshot of the database, its moment, its versions, and parts that are held."""

    session: ReadSession
    now: datetime
    """The database's clock as this process knows it, UTC: loaders take it as a parameter."""
    versions: Vector
    """As of this snapshot."""
    tiers: Tiers
    is_whole: bool = True
    """Whether these are the versions of the rows in this snapshot. If not, the tiers are neither asked nor filled."""
    as_of: float | None = None
    """Epoch seconds: `now`, where it is the end of the entry whose successor is computed. None: it is now."""

    async def parts(self, policy: Policy, clinic_ids: Iterable[int], parameters: Parameters) -> dict[int, Entry]:
        """Clinic → its entry, for those that are held and right in this snapshot and at `now`. Compute the others."""
        if not self.is_whole:
            return {}
        ids = {clinic_id: EntryId(policy, clinic_id, digest(parameters)) for clinic_id in clinic_ids}
        keys = {clinic_id: self._key(entry_id) for clinic_id, entry_id in ids.items()}
        found = await self.tiers.get_many({keys[clinic_id]: ids[clinic_id] for clinic_id in ids}, self.now.timestamp())
        return {clinic_id: found[key] for clinic_id, key in keys.items() if key in found}

    def keep(self, policy: Policy, clinic_id: int, parameters: Parameters, loaded: Loaded) -> None:
        """Store one clinic's part, computed in this snapshot."""
        if self.is_whole:
            entry_id = EntryId(policy, clinic_id, digest(parameters))
            key = self._key(entry_id) if self.as_of is None else successor_of(self._key(entry_id), self.as_of)
            self.tiers.put_part(entry_id, key, loaded.entry(self.now))

    def _key(self, entry_id: EntryId) -> str:
        return self.tiers.key(entry_id, entry_id.policy.token(self.versions, entry_id.clinic_id))


Loader = Callable[[Fill], Awaitable[Loaded]]


async def read_versions(session: ReadSession, clinic_id: int | None) -> tuple[Vector, bool]:
    """(version rows of `clinic_id` and of clinic 0, or of all (None); whether they stand for this snapshot's rows)."""
    if clinic_id is None:
        result = await session.execute(ALL_VERSIONS)
    else:
        result = await session.execute(VERSIONS, {"clinics": [0, clinic_id]})
    rows = result.all()
    is_whole = bool(rows) and all(row.is_whole for row in rows)
    return {(row.clinic_id, row.topic): row.version for row in rows}, is_whole


def utc(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
