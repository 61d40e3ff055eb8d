"""Memory, then Redis, then one flight to the database; then the last good answer, labelled; then Unavailable."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from core.cache.entry import Entry, decode
from core.cache.fill import Fill, Loader, Turns, read_versions, utc
from core.cache.flight import Flights
from core.cache.keys import Keys, Parameters, digest
from core.cache.memory import MemoryTier
from core.cache.policy import Policy
from core.cache.polls import DirectReads
from core.cache.redis import RedisTier
from core.cache.stats import CacheStats
from core.cache.versions import Vector, VersionMap, at_least
from core.clock import boottime
from core.db.transaction import Database, ReadSession
from core.errors import Unavailable
from core.trace import current

ROUNDS = 5
"""Times a request looks again when what it found was overtaken; with two seconds per fill nobody gets that far."""
YOUNG = 1.0
"""Seconds for which an answer that a write overtook may still be given: it was right after the request began."""
LAST_GOOD_TTL = 24 * 3600.0
MEMORY_TTL_WITHOUT_REDIS = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """Where an entry came from, under which versions, and when (boottime) it was known to be right."""

    entry: Entry
    versions: Vector
    tier: str
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    entry: Entry
    outcome: str
    """hit, miss or stale"""
    tier: str
    """memory, redis or database"""
    age: float
    """Seconds since it was computed."""
    ttl: float
    """Seconds it may still serve, by time alone."""
    collapsed: bool = False
    detail: str | None = None

    @property
    def stale(self) -> bool:
        return self.outcome == "stale"


class Cache:
    """One per process. Nothing here invalidates anything: a new version is a new key."""

    def __init__(
        self,
        database: Database,
        versions: VersionMap,
        direct: DirectReads,
        memory: MemoryTier,
        redis: RedisTier,
        ttls: Mapping[str, float],
    ) -> None:
        self.versions = versions
        self.memory = memory
        self.redis = redis
        self.stats = CacheStats()
        self.flights: Flights[Found] = Flights()
        self._database = database
        self._direct = direct
        self._keys: Keys = redis.keys
        self._ttls = ttls
        self._turns = Turns()
        self._storing: set[asyncio.Task[Any]] = set()

    async def read(
        self,
        policy: Policy,
        clinic_id: int | None,
        parameters: Parameters,
        load: Loader,
        *,
        required: Vector | None = None,
    ) -> Answer:
        """The answer for `clinic_id` (None: the network), at least as new as `required` and as the version map.

        Raises Unavailable where the database is away and no last good answer is held; whatever else a loader raises.
        """
        started = perf_counter()
        parameters_digest = digest(parameters)
        try:
            answer = await self._read(policy, clinic_id, parameters_digest, load, required or {})
        except Unavailable:
            found = await self._last_good(policy, clinic_id, parameters_digest)
            if found is None:
                self.stats.count(policy.name, "error", "database")
                raise
            answer = found
        except Exception:
            self.stats.count(policy.name, "error", "database")
            raise
        self.stats.count(policy.name, "collapsed" if answer.collapsed else answer.outcome, answer.tier)
        current().cached(
            policy.name,
            answer.outcome,
            answer.tier,
            ms=(perf_counter() - started) * 1000,
            ttl=answer.ttl,
            age=answer.age,
            collapsed=answer.collapsed,
            stored=answer.outcome == "miss",
            detail=answer.detail,
        )
        return answer

    async def _read(
        self, policy: Policy, clinic_id: int | None, parameters: str, load: Loader, required: Vector
    ) -> Answer:
        if required:
            await self._direct.require(required)
        began = boottime()
        floor: Vector | None = None
        for _ in range(ROUNDS):
            if not self.versions.is_fresh():
                await self._direct.ensure_fresh()
            # From here to the look-up nothing awaits: lease, versions and clock are those of one moment.
            key = self._key(policy, clinic_id, policy.token(self.versions, clinic_id), parameters)
            held: Entry | None = self.memory.get(key)
            now = self.versions.now()
            if held is not None and held.serves(now):
                return self._answer(policy, held, "hit", "memory", now)
            vector = policy.vector(self.versions, clinic_id)
            floor = floor if floor is not None else vector
            found, joined = await self.flights.join(
                key,
                lambda: self._find(policy, clinic_id, key, vector, parameters, load),  # noqa: B023
            )
            now = self.versions.now()
            if found.entry.serves(now) and self._is_current(policy, clinic_id, found, floor, began):
                outcome = "miss" if found.tier == "database" else "hit"
                return self._answer(policy, found.entry, outcome, found.tier, now, collapsed=joined)
        raise Unavailable("The figures change faster than they can be read just now.")

    def _is_current(self, policy: Policy, clinic_id: int | None, found: Found, floor: Vector, began: float) -> bool:
        """Whether what a flight brought is right for this request, at the moment of answering.

        It is where no newer version is known. Where writes overtook it, it still tells the state at an instant after
        the request began, as long as little time has passed since (this process may have been stopped in between).
        """
        if not at_least(found.versions, floor):
            # The snapshot is older than the map: a database restored from a backup. Read the rows themselves.
            self.versions.distrust()
            return False
        if self.versions.is_fresh() and at_least(found.versions, policy.vector(self.versions, clinic_id)):
            return True
        return found.at >= began and boottime() - found.at < YOUNG

    async def _find(
        self, policy: Policy, clinic_id: int | None, key: str, vector: Vector, parameters: str, load: Loader
    ) -> Found:
        """The flight's work: Redis, else a fill."""
        at = boottime()
        entry = decode(await self.redis.get(key))
        if entry is not None and entry.serves(self.versions.now()):
            self._remember(policy, key, entry)
            return Found(entry, vector, "redis", at)
        versions: Vector = {}
        at = boottime()

        async def fill(seconds: float) -> Entry:
            async def work(session: ReadSession) -> Entry:
                nonlocal versions, at
                at = boottime()
                read = await read_versions(session, clinic_id)
                now = utc(self.versions.now())
                fill = Fill(session, now, read, self)
                loaded = await load(fill)
                versions = fill.vector(policy, clinic_id)
                self.versions.committed((c, t, v) for (c, t), v in read.items())
                return loaded.entry(now)

            return await self._database.snapshot(work, budget=seconds)

        entry = await self._turns.take(fill)
        stored_key = self._key(policy, clinic_id, policy.token_of(versions, clinic_id), parameters)
        self._remember(policy, stored_key, entry)
        last_good = parameters == digest({})
        if last_good:
            self.memory.put(self._last_key(policy, clinic_id, parameters), entry, entry.size, LAST_GOOD_TTL)
        self._in_background(self._store(policy, clinic_id, stored_key, parameters, entry, last_good=last_good))
        return Found(entry, versions, "database", at)

    # --- Shelf: what a fill of the network needs

    async def look_up(
        self, policy: Policy, vectors: dict[int, Vector], parameters: Parameters, now: float
    ) -> dict[int, Entry]:
        found: dict[int, Entry] = {}
        missing: dict[int, str] = {}
        for clinic_id, vector in vectors.items():
            key = self._key(policy, clinic_id, policy.token_of(vector, clinic_id), digest(parameters))
            held: Entry | None = self.memory.get(key)
            if held is not None and held.serves(now):
                found[clinic_id] = held
            else:
                missing[clinic_id] = key
        raw = await self.redis.get_many(list(missing.values()))
        for (clinic_id, key), value in zip(missing.items(), raw, strict=True):
            entry = decode(value)
            if entry is not None and entry.serves(now):
                self._remember(policy, key, entry)
                found[clinic_id] = entry
        return found

    async def keep(self, policy: Policy, clinic_id: int, vector: Vector, parameters: Parameters, entry: Entry) -> None:
        parameters_digest = digest(parameters)
        key = self._key(policy, clinic_id, policy.token_of(vector, clinic_id), parameters_digest)
        self._remember(policy, key, entry)
        self._in_background(self._store(policy, clinic_id, key, parameters_digest, entry, last_good=False))

    # --- pieces

    def _key(self, policy: Policy, clinic_id: int | None, token: str, parameters: str) -> str:
        return self._keys.entry(policy.name, policy.shape, clinic_id, token, parameters)

    def _last_key(self, policy: Policy, clinic_id: int | None, parameters: str) -> str:
        return self._keys.last_good(policy.name, policy.shape, clinic_id, parameters)

    def ttl_of(self, policy: Policy) -> float:
        return self._ttls.get(policy.name, policy.ttl)

    def _seconds(self, policy: Policy, entry: Entry, now: float) -> float:
        """How long the entry may still serve, by time alone."""
        by_policy = entry.computed_at + self.ttl_of(policy) - now
        return max(0.0, by_policy if entry.valid_until is None else min(by_policy, entry.valid_until - now))

    def _remember(self, policy: Policy, key: str, entry: Entry) -> None:
        seconds = self._seconds(policy, entry, self.versions.now())
        if self.redis.breaker.is_open:
            seconds = min(seconds, MEMORY_TTL_WITHOUT_REDIS)
        self.memory.put(key, entry, entry.size, seconds)

    async def _store(
        self, policy: Policy, clinic_id: int | None, key: str, parameters: str, entry: Entry, *, last_good: bool
    ) -> None:
        raw = entry.encode()
        await self.redis.set(key, raw, max(1.0, self._seconds(policy, entry, self.versions.now())))
        if last_good:
            last_key = self._last_key(policy, clinic_id, parameters)
            await self.redis.set_if_newer(last_key, raw, entry.computed_at, LAST_GOOD_TTL)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Nobody waits for Redis to have stored what is answered already."""
        task = asyncio.create_task(work)
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _last_good(self, policy: Policy, clinic_id: int | None, parameters: str) -> Answer | None:
        if parameters != digest({}):
            return None
        key = self._last_key(policy, clinic_id, parameters)
        held: Entry | None = self.memory.get(key)
        shared = decode(await self.redis.get(key))
        tier = "memory"
        if shared is not None and (held is None or shared.computed_at > held.computed_at):
            held, tier = shared, "redis"
        if held is None:
            return None
        return Answer(
            held, "stale", tier, max(0.0, self.versions.now() - held.computed_at), 0.0, detail="database-unavailable"
        )

    def _answer(
        self, policy: Policy, entry: Entry, outcome: str, tier: str, now: float, *, collapsed: bool = False
    ) -> Answer:
        age = max(0.0, now - entry.computed_at)
        return Answer(entry, outcome, tier, age, self._seconds(policy, entry, now), collapsed)

    async def drain(self, within: float) -> None:
        """At shutdown: let fills and stores end, `within` seconds at most."""
        await self.flights.drain(within)
        if self._storing:
            await asyncio.wait(self._storing, timeout=within)
