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
    versions = VersionMap()
    push = Push(settings.require_direct_url(), versions) if serves and settings.cache_push else None
    engine = serving_engine(settings, push="service" if push else "on" if settings.cache_push else "off")
    database = Database(engine, push or versions)
    direct = DirectReads(database, versions)
    secret_keys = [key.get_secret_value() for key in settings.secret_keys]
    redis = RedisTier(settings.require_redis_url(), Keys(settings.cache_prefix), Seals(secret_keys))
    memory = MemoryTier(settings.cache_memory_bytes)
    versions.on_restored.append(memory.clear)
    tracing = Tracing(settings.served) if serves and is_configured() else None
    made = partial(TracedCache, tracing.tracer) if tracing is not None else Cache
    if tracing is not None:
        trace_statements(engine, tracing.tracer)
    cache = made(
        *(database, versions, direct, memory, redis, settings.cache_ttls, settings.database_pool_size),
        refreshes=serves and settings.cache_refresh_ahead,
    )
    unstored = UnstoredReads(versions, direct)
    listener = Listener(
        settings.require_direct_url(), versions, partial(begin_timeline, database), push=settings.cache_push
    )
    published = PublishedStats(cache.stats, memory, redis, versions)
    sessions = Sessions(database, versions, direct, redis, settings, cache.stats)
    published.also_in_memory.append(sessions.in_memory)
    passwords = Passwords(never=settings.passwords_never_right)
    rates = Rates(redis)
    exports = Exports(database, settings.require_direct_url(), rates, parse_limit(settings.export_limit))
    throttle = Throttle(redis, parse_limit(settings.login_limit_user), parse_limit(settings.login_limit_address))
    assertions = _assertions(settings)
    version_header = VersionHeader(secret_keys)
    events = Events(
        *(versions, direct, sessions, version_header, cache.ahead),
        most=settings.event_streams,
        lasts=settings.event_seconds,
    )
    readiness = Readiness(database, versions, direct, redis)
    background = Background()
    background.start(listener.run(), name="version listener")
    if push is not None:
        background.start(push.run(), name="push of versions")
    if cache.ahead is not None:
        background.start(cache.ahead.run(), name="refresh ahead")
    background.start(events.deliver(), name="events")
    background.start(events.watch(), name="streams of events")
    background.start(redis.probe(), name="redis probe")
    background.start(published.publish(), name="statistics")
    background.start(upkeep(database, settings.require_direct_url()), name="rollups")
    background.start(readiness.note(), name="readiness")
    background.start(readiness.look(), name="readiness of writes")
    try:
        # Ready with the first answer where the database is there; a process without it starts all the same.
        with suppress(Unavailable):
            await direct.ensure_fresh()
        yield Runtime(
            settings=settings,
            database=database,
            versions=versions,
            direct=direct,
            listener=listener,
            redis=redis,
            cache=cache,
            unstored=unstored,
            version_header=version_header,
            published=published,
            readiness=readiness,
            sessions=sessions,
            passwords=passwords,
            throttle=throttle,
            rates=rates,
            devices=Devices([key.get_secret_value() for key in settings.secret_keys]),
            assertions=assertions,
            exports=exports,
            catalog_files=FileReader(),
            events=events,
            canary=Canary(database, versions, cache, settings.canary_seconds),
            tracing=tracing,
            background=background,
        )
    finally:
        within = times.DRAIN
        await asyncio.gather(cache.drain(within), unstored.drain(within), sessions.close(within), exports.close(within))
        if assertions is not None:
            await assertions.close(within)
        passwords.close()
        if push is not None:
            await push.drain(LAST_PUSH)
        await background.cancel(times.ENDING)
        await readiness.drain(LOOK)
        await published.withdraw()
        await redis.close()
        await dispose(engine)
        if tracing is not None:
            tracing.close()


def _assertions(settings: Settings) -> "Assertions | None":
    if not settings.iap_audience:
        return None
    # Here, for PyJWT takes some 40 ms to import, by which everybody else would start later.
    from core.users.iap.assertions import Assertions

    return Assertions(settings.iap_audience, settings.iap_keys_url)
