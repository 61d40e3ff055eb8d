"""Where entries lie: memory and Redis, and beside them the last good answers."""

from collections.abc import Mapping

from core.background import Background
from core.cache.entry import Entry, decode
from core.cache.fills.lease import NOBODYS, FillLeases, Lease
from core.cache.keys import Keys, Parameters, digest
from core.cache.policy import EntryId, Policy
from core.cache.tiers.last_good import LastGood
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.redis import RedisTier
from core.cache.versions.map import VersionMap
from core.cache.versions.vector import Vector

MEMORY_TTL_WITHOUT_REDIS = 60.0


class Tiers:
    """`ttls`: seconds by policy name, where they differ from the policy's own."""

    def __init__(
        self,
        versions: VersionMap,
        memory: MemoryTier,
        redis: RedisTier,
        leases: FillLeases,
        ttls: Mapping[str, float],
    ) -> None:
        self.memory = memory
        self.redis = redis
        self._versions = versions
        self._leases = leases
        self._keys: Keys = redis.keys
        self._ttls = ttls
        self._background = Background()
        self.last_good = LastGood(versions, memory, redis, self._background)

    def key(self, entry_id: EntryId, token: str) -> str:
        return self._keys.entry(
            entry_id.policy.name, entry_id.policy.shape, entry_id.clinic_id, token, entry_id.parameters
        )

    def seconds(self, policy: Policy, entry: Entry, now: float) -> float:
        """How long the entry may still serve, by time alone."""
        by_policy = entry.computed_at + self._ttls.get(policy.name, policy.ttl) - now
        return max(0.0, by_policy if entry.valid_until is None else min(by_policy, entry.valid_until - now))

    # --- looking

    def at_hand(self, key: str, now: float) -> Entry | None:
        """In memory, and serving at `now`."""
        held: Entry | None = self.memory.get(key)
        return held if held is not None and held.serves(now) else None

    def unpacked(self, entry_id: EntryId, key: str, raw: bytes | None) -> Entry | None:
        """What Redis gave, where it serves at this moment; memory has it too from now on."""
        entry = decode(raw)
        if entry is None or not entry.serves(self._versions.now()):
            return None
        self.remember(entry_id, key, entry)
        return entry

    async def look_up(
        self, policy: Policy, vectors: dict[int, Vector], parameters: Parameters, now: float
    ) -> dict[int, Entry]:
        """Shelf.look_up, for a fill of the network."""
        found: dict[int, Entry] = {}
        missing: dict[str, EntryId] = {}
        parameters_digest = digest(parameters)
        for clinic_id, vector in vectors.items():
            entry_id = EntryId(policy, clinic_id, parameters_digest)
            key = self.key(entry_id, policy.token(vector, clinic_id))
            held = self.at_hand(key, now)
            if held is not None:
                found[clinic_id] = held
            else:
                missing[key] = entry_id
        raw = await self.redis.get_many(list(missing))
        for (key, entry_id), value in zip(missing.items(), raw, strict=True):
            entry = decode(value)
            if entry is not None and entry.serves(now) and entry_id.clinic_id is not None:
                self._put(entry_id, key, entry)
                found[entry_id.clinic_id] = entry
        return found

    # --- keeping

    def remember(self, entry_id: EntryId, key: str, entry: Entry) -> None:
        """In memory, as the last good answer too."""
        self._put(entry_id, key, entry)
        self.last_good.remember(entry_id, entry)

    def _put(self, entry_id: EntryId, key: str, entry: Entry) -> None:
        seconds = self.seconds(entry_id.policy, entry, self._versions.now())
        if self.redis.breaker.is_open:
            seconds = min(seconds, MEMORY_TTL_WITHOUT_REDIS)
        self.memory.put(key, entry, entry.size, seconds)

    def store(self, entry_id: EntryId, key: str, entry: Entry, lease: Lease) -> None:
        """In both tiers; then the lease ends."""
        self.remember(entry_id, key, entry)
        # Nobody waits for Redis to have stored what is answered already.
        self._background.start(self._store(entry_id, key, entry, lease, last_good=True), name="entry to Redis")

    async def keep(self, policy: Policy, clinic_id: int, vector: Vector, parameters: Parameters, entry: Entry) -> None:
        """Shelf.keep: one clinic's part of the network."""
        entry_id = EntryId(policy, clinic_id, digest(parameters))
        key = self.key(entry_id, policy.token(vector, clinic_id))
        self._put(entry_id, key, entry)
        self._background.start(self._store(entry_id, key, entry, NOBODYS, last_good=False), name="entry to Redis")

    async def _store(self, entry_id: EntryId, key: str, entry: Entry, lease: Lease, *, last_good: bool) -> None:
        raw = entry.encode()
        await self.redis.set(key, raw, max(1.0, self.seconds(entry_id.policy, entry, self._versions.now())))
        await self._leases.release(lease)
        if last_good:
            await self.last_good.store(entry_id, raw, entry.computed_at)

    def give_up(self, lease: Lease) -> None:
        """Nothing will be stored under it: the next one may try."""
        self._background.start(self._leases.release(lease), name="end of a lease")

    async def drain(self, within: float) -> None:
        await self._background.drain(within)
