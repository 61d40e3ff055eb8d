"""The last good answers, of reads without filters: given, and labelled stale, while the database is away."""

from core.background import Background
from core.cache.entry import Entry, decode
from core.cache.keys import Keys, digest
from core.cache.policy import EntryId
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.newest import NewestValues
from core.cache.tiers.redis import RedisTier
from core.cache.versions.map import VersionMap

TTL = 24 * 3600.0
"""Seconds."""
END = b"\n"
"""Of the timeline's id."""
NO_PARAMETERS = digest({})


class LastGood:
    """The newest of each answer, in memory and in Redis, under a key without versions.

    After a restore from a backup nobody may get answers of the timeline that was lost. Versions cannot show which those
    are: both timelines' are random steps, and either may be higher. So a process that sees the restore notes the time,
    here and in Redis, and what was computed before counts no more. A process that did not see it compares timelines:
    the id of the one in which an answer was computed stands in front of it in Redis.
    """

    def __init__(self, versions: VersionMap, memory: MemoryTier, redis: RedisTier, background: Background) -> None:
        self._versions = versions
        self._memory = memory
        self._newest = NewestValues(redis)
        self._keys: Keys = redis.keys
        self._restored_at = float("-inf")
        """Epoch seconds on the database's clock, as an entry's `computed_at`."""
        self._background = background
        versions.on_restored.append(self._restored)

    def _key(self, entry_id: EntryId) -> str:
        return self._keys.last_good(
            entry_id.policy.name, entry_id.policy.shape, entry_id.clinic_id, entry_id.parameters
        )

    async def find(self, entry_id: EntryId) -> tuple[Entry, str] | None:
        """(entry, its tier): the newer one of both tiers; None where there is none, or it has filters."""
        if entry_id.parameters != NO_PARAMETERS:
            return None
        key = self._key(entry_id)
        held: Entry | None = self._memory.get(key)
        shared = self._of_this_timeline(await self._newest.get(key))
        since = await self._since()
        found = [(entry, tier) for entry, tier in ((held, "memory"), (shared, "redis")) if entry is not None]
        right = [(entry, tier) for entry, tier in found if entry.computed_at >= since]
        return max(right, key=lambda one: one[0].computed_at, default=None)

    def remember(self, entry_id: EntryId, entry: Entry) -> None:
        """Keep in memory, unless a newer one is there."""
        if entry_id.parameters != NO_PARAMETERS:
            return
        key = self._key(entry_id)
        held: Entry | None = self._memory.get(key)
        if held is None or held.computed_at <= entry.computed_at:
            self._memory.put(key, entry, entry.size, TTL)

    async def store(self, entry_id: EntryId, raw: bytes, computed_at: float) -> None:
        """Keep in Redis, unless a newer one is there. `raw` is the encoded entry."""
        if entry_id.parameters == NO_PARAMETERS:
            timeline = (self._versions.timeline_id or "").encode() + END
            await self._newest.set(self._key(entry_id), timeline + raw, computed_at, TTL)

    def _of_this_timeline(self, raw: bytes | None) -> Entry | None:
        """The entry in `raw`, if it is of this timeline. A process that never reached the database takes any."""
        timeline, _, entry = (raw or b"").partition(END)
        known = self._versions.timeline_id
        return decode(entry) if known is None or timeline == known.encode() else None

    async def _since(self) -> float:
        """When the database was last restored, as far as this process or Redis knows."""
        noted = await self._newest.get(self._keys.plain("restored"))
        try:
            return max(self._restored_at, float(noted or "-inf"))
        except ValueError:
            return self._restored_at

    def _restored(self) -> None:
        self._restored_at = now = self._versions.now()
        noting = self._newest.set(self._keys.plain("restored"), repr(now).encode(), now, TTL)
        self._background.start(noting, name="restore to Redis")
