"""What one process holds open: the pool, the version map with its listener, Redis, and the cache over them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from limits import parse as parse_limit

from core import times
from core.background import Background
from core.cache.keys import Keys
from core.cache.read_through import Cache
from core.cache.stats.published import PublishedStats
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.redis import RedisTier
from core.cache.tiers.seals import Seals
from core.cache.traced import TracedCache
from core.cache.unstored import UnstoredReads
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.header import VersionHeader
from core.cache.versions.listener import Listener
from core.cache.versions.map import VersionMap
from core.cache.versions.push import Push
from core.cache.versions.timeline import begin_timeline
from core.canary.canary import Canary
from core.catalogs.imports.child_process import FileReader
from core.dashboard.upkeep import upkeep
from core.db.connections.engine import dispose, serving_engine
from core.db.connections.statement_spans import trace_statements
from core.db.transaction import Database
from core.errors import Unavailable
from core.events.events import Events
from core.exports.export import Exports
from core.readiness import Readiness
from core.sessions.devices import Devices
from core.sessions.rates import Rates
from core.sessions.store import Sessions
from core.sessions.throttle import Throttle
from core.settings import Settings
from core.settings.traces import is_configured
from core.telemetry.spans import Tracing
from core.users.passwords.hashing import Passwords

if TYPE_CHECKING:
    from core.users.iap.assertions import Assertions

LAST_PUSH = 0.1
"""Seconds at shutdown for telling other processes the last versions: what is not told is polled."""
LOOK = 0.1
"""Seconds at shutdown for a try whether the database takes writes."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What requests and commands use. `open_runtime` makes it, and closes what it holds."""

    settings: Settings
    database: Database
    versions: VersionMap
    direct: DirectReads
    push: Push | None
    """None: a command, or nobody is told at once."""
    listener: Listener
    redis: RedisTier
    cache: Cache
    unstored: UnstoredReads
    version_header: VersionHeader
    published: PublishedStats
    readiness: Readiness
    sessions: Sessions
    passwords: Passwords
    throttle: Throttle
    rates: Rates
    devices: Devices
    assertions: "Assertions | None"
    """None where nobody signs in by IAP."""
    exports: Exports
    catalog_files: FileReader
    events: Events
    canary: Canary
    tracing: Tracing | None
    """None: nobody wants traces."""
    background: Background
    """What runs until the process ends."""


@asynccontextmanager
async def open_runtime(settings: Settings, *, serves: bool = True) -> AsyncIterator[Runtime]:
    """Open everything that a process holds, until the block ends. Where the database is away it neither waits nor
    fails: requests find out.

    `serves`: it answers and commits often. Then it pushes versions after its commits, and refreshes what is read; a
    command notifies in its transaction.
    """
    runtime = _made(settings, serves=serves)
    _begin(runtime)
    try:
        # Ready with the first answer where the database is there; a process without it starts all the same.
        with suppress(Unavailable):
            await runtime.direct.ensure_fresh()
        yield runtime
    finally:
        await _end(runtime)


def _made(settings: Settings, *, serves: bool) -> Runtime:
    """All of it, with nothing running yet."""
    versions = VersionMap()
    push = Push(settings.require_direct_url(), versions) if serves and settings.cache_push else None
    engine = serving_engine(settings, push="service" if push else "on" if settings.cache_push else "off")
    database = Database(engine, push or versions)
    direct = DirectReads(database, versions)
    secret_keys = [key.get_secret_value() for key in settings.secret_keys]
    redis = RedisTier(settings.require_redis_url(), Keys(settings.cache_prefix), Seals(secret_keys))
    tracing = Tracing(settings.served) if serves and is_configured() else None
    if tracing is not None:
        trace_statements(engine, tracing.tracer)
    cache = _cache(settings, database, versions, direct, redis, tracing, serves=serves)
    sessions = Sessions(database, versions, direct, redis, settings, cache.stats)
    published = PublishedStats(cache.stats, cache.memory, redis, versions)
    published.also_in_memory.append(sessions.in_memory)
    rates = Rates(redis)
    version_header = VersionHeader(secret_keys)
    return Runtime(
        settings=settings,
        database=database,
        versions=versions,
        direct=direct,
        push=push,
        listener=Listener(
            settings.require_direct_url(), versions, partial(begin_timeline, database), push=settings.cache_push
        ),
        redis=redis,
        cache=cache,
        unstored=UnstoredReads(versions, direct),
        version_header=version_header,
        published=published,
        readiness=Readiness(database, versions, direct, redis),
        sessions=sessions,
        passwords=Passwords(never=settings.passwords_never_right),
        throttle=Throttle(redis, parse_limit(settings.login_limit_user), parse_limit(settings.login_limit_address)),
        rates=rates,
        devices=Devices(secret_keys),
        assertions=_assertions(settings),
        exports=Exports(database, settings.require_direct_url(), rates, parse_limit(settings.export_limit)),
        catalog_files=FileReader(),
        events=Events(
            *(versions, direct, sessions, version_header, cache.ahead),
            most=settings.event_streams,
            lasts=settings.event_seconds,
        ),
        canary=Canary(database, versions, cache, settings.canary_seconds),
        tracing=tracing,
        background=Background(),
    )


def _cache(
    settings: Settings,
    database: Database,
    versions: VersionMap,
    direct: DirectReads,
    redis: RedisTier,
    tracing: Tracing | None,
    *,
    serves: bool,
) -> Cache:
    memory = MemoryTier(settings.cache_memory_bytes)
    versions.on_restored.append(memory.clear)
    made = partial(TracedCache, tracing.tracer) if tracing is not None else Cache
    return made(
        *(database, versions, direct, memory, redis, settings.cache_ttls, settings.database_pool_size),
        refreshes=serves and settings.cache_refresh_ahead,
    )


def _begin(runtime: Runtime) -> None:
    """What runs beside requests."""
    start = runtime.background.start
    start(runtime.listener.run(), name="version listener")
    if runtime.push is not None:
        start(runtime.push.run(), name="push of versions")
    if runtime.cache.ahead is not None:
        start(runtime.cache.ahead.run(), name="refresh ahead")
    start(runtime.events.deliver(), name="events")
    start(runtime.events.watch(), name="streams of events")
    start(runtime.redis.probe(), name="redis probe")
    start(runtime.published.publish(), name="statistics")
    start(upkeep(runtime.database, runtime.settings.require_direct_url()), name="rollups")
    start(runtime.readiness.note(), name="readiness")
    start(runtime.readiness.look(), name="readiness of writes")


async def _end(runtime: Runtime) -> None:
    """What is under way comes to its end first, then what runs beside it; connections last."""
    within = times.DRAIN
    cache, unstored, sessions, exports = runtime.cache, runtime.unstored, runtime.sessions, runtime.exports
    await asyncio.gather(cache.drain(within), unstored.drain(within), sessions.close(within), exports.close(within))
    if runtime.assertions is not None:
        await runtime.assertions.close(within)
    runtime.passwords.close()
    if runtime.push is not None:
        await runtime.push.drain(LAST_PUSH)
    await runtime.background.cancel(times.ENDING)
    await runtime.readiness.drain(LOOK)
    await runtime.published.withdraw()
    await runtime.redis.close()
    await dispose(runtime.database.engine)
    if runtime.tracing is not None:
        runtime.tracing.close()


def _assertions(settings: Settings) -> "Assertions | None":
    if not settings.iap_audience:
        return None
    # Here, for PyJWT takes some 40 ms to import, by which everybody else would start later.
    from core.users.iap.assertions import Assertions

    return Assertions(settings.iap_audience, settings.iap_keys_url)
