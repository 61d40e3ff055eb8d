"""One face for every tier: entries go in and come out under what they answer. Its tests ask each tier the same."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from core.cache.entry import Entry, decode
from core.cache.keys import digest
from core.cache.policy import EntryId, Policy
from core.cache.tiers.both import Tiers
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.redis import RedisTier
from core.cache.versions.map import VersionMap
from core.clock import boottime, wall_now

TOKEN = "2a.1"
"""Versions, as they stand in a key."""
BOUND = 20_000
"""Bytes of memory."""


def entry_id(number: int = 0, *, clinic_id: int | None = 5, ttl: float = 60.0) -> EntryId:
    return EntryId(Policy("counts", ttl, "5ba9e", ("figures",)), clinic_id, digest({"number": number}))


class AnyTier(ABC):
    def __init__(self, redis: RedisTier) -> None:
        self.versions = VersionMap()
        self.versions.clock.set(wall_now().timestamp(), boottime())
        self.memory = MemoryTier(BOUND)
        self.redis = redis
        self.tiers = Tiers(self.versions, self.memory, redis, {})

    def key(self, asked: EntryId) -> str:
        return self.tiers.key(asked, TOKEN)

    def entry(self, body: bytes, *, valid_for: float | None = None) -> Entry:
        """Computed now; right for `valid_for` seconds."""
        now = self.versions.now()
        return Entry.make(body, computed_at=now, valid_until=None if valid_for is None else now + valid_for)

    async def put(self, asked: EntryId, body: bytes) -> None:
        await self.put_entry(asked, self.entry(body))

    async def get(self, *asked: EntryId) -> list[bytes | None]:
        return [None if found is None else found.body for found in await self.get_entries(asked)]

    @abstractmethod
    async def put_entry(self, asked: EntryId, entry: Entry) -> None:
        """Return once it is stored, or is not going to be."""

    @abstractmethod
    async def get_entries(self, asked: Sequence[EntryId]) -> list[Entry | None]:
        """In one look."""

    async def drop(self, asked: EntryId) -> None:
        self.memory.drop(self.key(asked))
        await self.redis.delete(self.key(asked))


class Memory(AnyTier):
    async def put_entry(self, asked: EntryId, entry: Entry) -> None:
        self.memory.put(self.key(asked), entry, entry.size, asked.policy.ttl)

    async def get_entries(self, asked: Sequence[EntryId]) -> list[Entry | None]:
        return [self.memory.get(self.key(one)) for one in asked]


class Redis(AnyTier):
    async def put_entry(self, asked: EntryId, entry: Entry) -> None:
        await self.redis.set(self.key(asked), entry.encode(), asked.policy.ttl)

    async def get_entries(self, asked: Sequence[EntryId]) -> list[Entry | None]:
        return [decode(raw) for raw in await self.redis.get_many([self.key(one) for one in asked])]


class Both(AnyTier):
    async def put_entry(self, asked: EntryId, entry: Entry) -> None:
        await self.tiers.put(asked, self.key(asked), entry)

    async def get_entries(self, asked: Sequence[EntryId]) -> list[Entry | None]:
        found = await self.tiers.get_many({self.key(one): one for one in asked}, self.versions.now())
        return [found.get(self.key(one)) for one in asked]


KINDS: dict[str, type[AnyTier]] = {
    "memory": Memory,
    "redis": Redis,
    "cluster": Redis,
    "memory and redis": Both,
    "memory and cluster": Both,
}
