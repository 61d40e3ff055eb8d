"""Memory, then Redis, then one flight to the database; then the last good answer, labelled; then Unavailable."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
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
from core.cache.versions import LEASE, Vector, VersionMap, at_least
from core.clock import boottime
from core.db.transaction import Database, ReadSession
from core.errors import AppError, Unavailable
from core.trace import current

ROUNDS = 8
"""Times a request looks again when what it found was overtaken."""
WAIT = 2.0
"""Seconds until a request is told, or given the last good answer, whatever it waits for."""
YOUNG = LEASE
"""Seconds for which an answer that a write overtook may still be given: it was right after the request began."""
LAST_GOOD_TTL = 24 * 3600.0
MEMORY_TTL_WITHOUT_REDIS = 60.0
NO_PARAMETERS = digest({})


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


@dataclass(frozen=True, slots=True)
class Place:
    """What is asked for: `clinic_id` None is the network, `parameters` a digest."""

    policy: Policy
    clinic_id: int | None
    parameters: str


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
        pool_size: int,
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
        self._turns = Turns(pool_size)
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
        place = Place(policy, clinic_id, digest(parameters))
        answer = None
        if not required or not self._direct.behind(required):
            answer = self._at_hand(place)
        if answer is None:
            answer = await self._fetch(place, load, required or {})
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

    def _at_hand(self, place: Place) -> Answer | None:
        """A hit in memory. Nothing awaits: lease, versions and clock are those of one moment."""
        if not self.versions.is_fresh():
            return None
        held: Entry | None = self.memory.get(self._key(place, place.policy.token(self.versions, place.clinic_id)))
        now = self.versions.now()
        return self._answer(place, held, "hit", "memory", now) if held is not None and held.serves(now) else None

    async def _fetch(self, place: Place, load: Loader, required: Vector) -> Answer:
        try:
            try:
                async with asyncio.timeout(WAIT):
                    return await self._wait(place, load, required)
            except TimeoutError as error:
                raise Unavailable from error
        except Unavailable:
            answer = await self._last_good(place)
            if answer is not None:
                return answer
            self.stats.count(place.policy.name, "error", "database")
            raise
        except AppError:
            raise  # an answer too: there is no such clinic
        except Exception:
            self.stats.count(place.policy.name, "error", "database")
            raise

    async def _wait(self, place: Place, load: Loader, required: Vector) -> Answer:
        if required:
            await self._direct.require(required)
        began = boottime()
        for _ in range(ROUNDS):
            if not self.versions.is_fresh():
                await self._direct.ensure_fresh()
            # As in _at_hand nothing awaits from here until the flight is joined.
            at_hand = self._at_hand(place)
            if at_hand is not None:
                return at_hand
            vector = place.policy.vector(self.versions, place.clinic_id)
            key = self._key(place, place.policy.token(self.versions, place.clinic_id))
            find = partial(self._find, place, key, vector, boottime(), load)
            found, joined = await self.flights.join(key, find)
            now = self.versions.now()
            if found.entry.serves(now) and self._is_current(place, found, vector, began):
                outcome = "miss" if found.tier == "database" else "hit"
                return self._answer(place, found.entry, outcome, found.tier, now, collapsed=joined)
        raise Unavailable("The figures change faster than they can be read just now.")

    def _is_current(self, place: Place, found: Found, vector: Vector, began: float) -> bool:
        """Whether what a flight brought is right for this request, at the moment of answering.

        It is where no newer version is known. Where writes overtook it, it still tells the state at an instant after
        the request began, as long as little time has passed since (this process may have been stopped in between).
        """
        if not at_least(found.versions, vector):
            # The snapshot is older than the map: a database restored from a backup. Read the rows themselves.
            self.versions.distrust()
            return False
        if self.versions.is_fresh() and at_least(found.versions, place.policy.vector(self.versions, place.clinic_id)):
            return True
        return found.at >= began and boottime() - found.at < YOUNG

    async def _find(self, place: Place, key: str, vector: Vector, at: float, load: Loader) -> Found:
        """The flight's work: Redis, else a fill. `vector` is what the map said `at` that time."""
        entry = decode(await self.redis.get(key))
        if entry is not None and entry.serves(self.versions.now()):
            self._remember(place, key, entry)
            self._remember_last_good(place, entry)
            return Found(entry, vector, "redis", at)
        return await self._turns.take(partial(self._fill, place, load))

    async def _fill(self, place: Place, load: Loader, seconds: float) -> Found:
        """Compute and keep it, within `seconds`. The work may run twice: its last run counts."""

        async def work(session: ReadSession) -> Found:
            at = boottime()
            read = await read_versions(session, place.clinic_id)
            now = utc(self.versions.now())
            fill = Fill(session, now, read, self)
            loaded = await load(fill)
            self.versions.committed((clinic, topic, version) for (clinic, topic), version in read.items())
            return Found(loaded.entry(now), fill.vector(place.policy, place.clinic_id), "database", at)

        found = await self._database.snapshot(work, budget=seconds)
        key = self._key(place, place.policy.token_of(found.versions, place.clinic_id))
        self._remember(place, key, found.entry)
        self._remember_last_good(place, found.entry)
        self._in_background(self._store(place, key, found.entry, last_good=place.parameters == NO_PARAMETERS))
        return found

    # --- Shelf: what a fill of the network needs

    async def look_up(
        self, policy: Policy, vectors: dict[int, Vector], parameters: Parameters, now: float
    ) -> dict[int, Entry]:
        found: dict[int, Entry] = {}
        missing: dict[str, Place] = {}
        parameters_digest = digest(parameters)
        for clinic_id, vector in vectors.items():
            place = Place(policy, clinic_id, parameters_digest)
            key = self._key(place, policy.token_of(vector, clinic_id))
            held: Entry | None = self.memory.get(key)
            if held is not None and held.serves(now):
                found[clinic_id] = held
            else:
                missing[key] = place
        raw = await self.redis.get_many(list(missing))
        for (key, place), value in zip(missing.items(), raw, strict=True):
            entry = decode(value)
            if entry is not None and entry.serves(now) and place.clinic_id is not None:
                self._remember(place, key, entry)
                found[place.clinic_id] = entry
        return found

    async def keep(self, policy: Policy, clinic_id: int, vector: Vector, parameters: Parameters, entry: Entry) -> None:
        place = Place(policy, clinic_id, digest(parameters))
        key = self._key(place, policy.token_of(vector, clinic_id))
        self._remember(place, key, entry)
        self._in_background(self._store(place, key, entry, last_good=False))

    # --- pieces

    def _key(self, place: Place, token: str) -> str:
        return self._keys.entry(place.policy.name, place.policy.shape, place.clinic_id, token, place.parameters)

    def _last_key(self, place: Place) -> str:
        return self._keys.last_good(place.policy.name, place.policy.shape, place.clinic_id, place.parameters)

    def ttl_of(self, policy: Policy) -> float:
        return self._ttls.get(policy.name, policy.ttl)

    def _seconds(self, policy: Policy, entry: Entry, now: float) -> float:
        """How long the entry may still serve, by time alone."""
        by_policy = entry.computed_at + self.ttl_of(policy) - now
        return max(0.0, by_policy if entry.valid_until is None else min(by_policy, entry.valid_until - now))

    def _remember(self, place: Place, key: str, entry: Entry) -> None:
        seconds = self._seconds(place.policy, entry, self.versions.now())
        if self.redis.breaker.is_open:
            seconds = min(seconds, MEMORY_TTL_WITHOUT_REDIS)
        self.memory.put(key, entry, entry.size, seconds)

    def _remember_last_good(self, place: Place, entry: Entry) -> None:
        if place.parameters != NO_PARAMETERS:
            return
        held: Entry | None = self.memory.get(self._last_key(place))
        if held is None or held.computed_at <= entry.computed_at:
            self.memory.put(self._last_key(place), entry, entry.size, LAST_GOOD_TTL)

    async def _store(self, place: Place, key: str, entry: Entry, *, last_good: bool) -> None:
        raw = entry.encode()
        await self.redis.set(key, raw, max(1.0, self._seconds(place.policy, entry, self.versions.now())))
        if last_good:
            await self.redis.set_if_newer(self._last_key(place), raw, entry.computed_at, LAST_GOOD_TTL)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Nobody waits for Redis to have stored what is answered already."""
        task = asyncio.create_task(work)
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _last_good(self, place: Place) -> Answer | None:
        if place.parameters != NO_PARAMETERS:
            return None
        key = self._last_key(place)
        held: Entry | None = self.memory.get(key)
        shared = decode(await self.redis.get(key))
        tier = "memory"
        if shared is not None and (held is None or shared.computed_at > held.computed_at):
            held, tier = shared, "redis"
        if held is None:
            return None
        age = max(0.0, self.versions.now() - held.computed_at)
        return Answer(held, "stale", tier, age, 0.0, detail="database-unavailable")

    def _answer(
        self, place: Place, entry: Entry, outcome: str, tier: str, now: float, *, collapsed: bool = False
    ) -> Answer:
        age = max(0.0, now - entry.computed_at)
        return Answer(entry, outcome, tier, age, self._seconds(place.policy, entry, now), collapsed)

    async def drain(self, within: float) -> None:
        """At shutdown: let fills and stores end, `within` seconds at most."""
        await self.flights.drain(within)
        if self._storing:
            await asyncio.wait(self._storing, timeout=within)
