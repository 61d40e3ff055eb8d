"""The last good answers, of what has no filters: given, and labelled stale, while the database is away."""

from core.background import Background
from core.cache.entry import Entry, decode
from core.cache.keys import Keys, digest
from core.cache.policy import EntryId
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.newest import NewestValues
from core.cache.tiers.redis import RedisTier
from core.cache.versions.map import VersionMap

TTL = 24 * 3600.0
END = b"\n"
"""Of the timeline's id."""
NO_PARAMETERS = digest({})


class LastGood:
    """After a restore from a backup, answers of the timeline that was lost are given to nobody.

    Their versions do not tell: those of the new timeline step at random, too, and may be higher or lower. So a process
    that sees the restore notes the time, here and in Redis, and what was computed before it is not used any more. Where
    no process saw it, the timeline's id in front of what Redis has tells.
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
        """(entry, tier): the newest of both tiers."""
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
        """In memory."""
        if entry_id.parameters != NO_PARAMETERS:
            return
        key = self._key(entry_id)
        held: Entry | None = self._memory.get(key)
        if held is None or held.computed_at <= entry.computed_at:
            self._memory.put(key, entry, entry.size, TTL)

    async def store(self, entry_id: EntryId, raw: bytes, computed_at: float) -> None:
        """In Redis."""
        if entry_id.parameters == NO_PARAMETERS:
            told = (self._versions.timeline_id or "").encode() + END
            await self._newest.set(self._key(entry_id), told + raw, computed_at, TTL)

    def _of_this_timeline(self, raw: bytes | None) -> Entry | None:
        """A process that never reached the database knows of none, and takes what there is."""
        told, _, entry = (raw or b"").partition(END)
        known = self._versions.timeline_id
        return decode(entry) if known is None or told == known.encode() else None

    async def _since(self) -> float:
        """When the database was last restored, as far as this process or Redis knows."""
        told = await self._newest.get(self._keys.plain("restored"))
        try:
            return max(self._restored_at, float(told or "-inf"))
        except ValueError:
            return self._restored_at

    def _restored(self) -> None:
        self._restored_at = now = self._versions.now()
        telling = self._newest.set(self._keys.plain("restored"), repr(now).encode(), now, TTL)
        self._background.start(telling, name="restore to Redis")
