"""The metrics: what each is called, what it says, and where a process reads its own value.

A new metric is one line of COUNTERS or GAUGES, and nothing else. Counters of all workers are summed, those that died
included; a gauge is of the living workers, and says what becomes of their values.
"""

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.pool import QueuePool

from api.ops.loop_lag import LOOP_LAG
from core.canary.canary import CANARY_READS, CANARY_WRITES
from core.clock import boottime
from core.runtime import Runtime
from core.telemetry.log_lines import LINES

Labelled = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter of Prometheus, which adds `_total` to its name. `read` gives label values and what was counted under
    them."""

    name: str
    text: str
    read: Callable[[Runtime], Labelled]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gauge:
    """`of` makes one value of all living workers'."""

    name: str
    text: str
    of: Callable[[list[float]], float]
    read: Callable[[Runtime], float]


def one(value: float) -> Labelled:
    return [((), value)]


def in_use(runtime: Runtime) -> float:
    """Connections of the pool that work has."""
    pool = runtime.database.engine.pool
    return pool.checkedout() if isinstance(pool, QueuePool) else 0


def held_sessions(runtime: Runtime) -> float:
    return len(runtime.sessions.held)


def collections(name: str) -> Callable[[Runtime], Labelled]:
    """Reads one of `gc.get_stats()`'s figures, by generation."""
    return lambda _: [((str(generation),), counts[name]) for generation, counts in enumerate(gc.get_stats())]


COUNTERS = (
    Counter(
        "ticket_home_cache_reads",
        "Cached reads",
        lambda runtime: list(runtime.cache.stats.counts.items()),
        ("policy", "outcome", "tier"),
    ),
    Counter(
        "ticket_home_prepared_hits",
        "Hits in memory that were answered before the router",
        lambda runtime: one(runtime.cache.stats.prepared),
    ),
    Counter(
        "ticket_home_cache_refreshed",
        "Refreshes ahead of the reader, by where they were found: computed, or had from another process",
        lambda runtime: list(runtime.cache.stats.refreshed.items()),
        ("policy", "tier"),
    ),
    Counter("ticket_home_redis_errors", "Failed operations on Redis", lambda runtime: one(runtime.redis.errors)),
    Counter(
        "ticket_home_redis_foreign_values",
        "Values in Redis that were not ours, and were not used",
        lambda runtime: one(runtime.redis.foreign),
    ),
    Counter(
        "ticket_home_cache_evictions",
        "Entries put out of memory by its bound",
        lambda runtime: one(runtime.cache.memory.evicted),
    ),
    Counter(
        "ticket_home_password_attempts",
        "Passwords tried, to sign in or to change one: right, wrong, refused for too many wrong ones, unknown",
        lambda runtime: [((outcome,), count) for outcome, count in runtime.throttle.outcomes.items()],
        ("outcome",),
    ),
    Counter(
        "ticket_home_database_waits",
        "Waits for a connection of the pool that have ended, with one given or failed",
        lambda runtime: [((outcome,), count) for outcome, count in runtime.database.waits.ended.items()],
        ("outcome",),
    ),
    Counter(
        "ticket_home_database_wait_seconds",
        "Time in these waits; the making of new connections is part of it",
        lambda runtime: one(runtime.database.waits.seconds),
    ),
    Counter(
        "ticket_home_canary_reads",
        "Reads of the canary: current, overtaken within two seconds, stale without a label, labelled, failed",
        lambda runtime: [((outcome,), runtime.canary.reads[outcome]) for outcome in CANARY_READS],
        ("outcome",),
    ),
    Counter(
        "ticket_home_canary_writes",
        "Writes of the canary that were tried: written, beaten by another process, failed",
        lambda runtime: [((outcome,), runtime.canary.writes[outcome]) for outcome in CANARY_WRITES],
        ("outcome",),
    ),
    Counter(
        "ticket_home_events_sent",
        "Versions, changes and losses of certainty that clients of event streams were told",
        lambda runtime: [((kind,), count) for kind, count in runtime.events.sent.items()],
        ("event",),
    ),
    Counter(
        "ticket_home_events_coalesced",
        "Changes that clients were not told, because a newer one of the same topic was",
        lambda runtime: one(runtime.events.coalesced),
    ),
    Counter(
        "ticket_home_event_streams_ended",
        "Event streams that are over, by why",
        lambda runtime: [((reason,), count) for reason, count in runtime.events.ended.items()],
        ("reason",),
    ),
    Counter(
        "ticket_home_event_streams_refused",
        "Event streams that there was no room for",
        lambda runtime: one(runtime.events.refused),
    ),
    Counter("ticket_home_log_lines_dropped", "Lines that nobody read in time", lambda _: one(LINES.dropped)),
    Counter("ticket_home_workers_started", "Processes that have served, replaced ones included", lambda _: one(1)),
    Counter("process_cpu_seconds", "Of all workers, user and system", lambda _: one(time.process_time())),
    Counter("python_gc_collections", "Collections, by generation", collections("collections"), ("generation",)),
    Counter("python_gc_objects_collected", "Objects collected", collections("collected"), ("generation",)),
    Counter("python_gc_objects_uncollectable", "Not collectable", collections("uncollectable"), ("generation",)),
)
GAUGES = (
    Gauge("ticket_home_workers", "Processes that serve", sum, lambda _: 1),
    Gauge(
        "ticket_home_event_loop_lag_seconds",
        "The longest that an event loop was held up in the last quarter of a minute or two",
        max,
        lambda _: LOOP_LAG.longest(time.monotonic()),
    ),
    Gauge("ticket_home_can_write", "1 while all workers can write", min, lambda r: r.readiness.could_write),
    Gauge("ticket_home_cache_memory_bytes", "Held by the memory tiers", sum, lambda r: r.cache.memory.bytes),
    Gauge("ticket_home_cache_memory_entries", "Entries in the memory tiers", sum, lambda r: len(r.cache.memory)),
    Gauge("ticket_home_cache_fills_queued", "Fills that wait for their turn", sum, lambda r: r.cache.queued),
    Gauge("ticket_home_cache_flights", "Computations under way", sum, lambda r: len(r.cache.flights)),
    Gauge(
        "ticket_home_cache_lease_age_seconds",
        "Since the poll that a version map rests on: the oldest",
        max,
        lambda r: r.versions.lease_age(),
    ),
    Gauge("ticket_home_cache_versions", "Rows in the largest version map", max, lambda r: len(r.versions)),
    Gauge("ticket_home_redis_breaker_open", "1 while a worker asks no Redis", max, lambda r: r.redis.breaker.is_open),
    Gauge(
        "ticket_home_cache_version_lag_seconds",
        "From a write of the canary until a version map had it, lately: the longest",
        max,
        lambda r: r.canary.lag.longest(boottime()),
    ),
    Gauge(
        "ticket_home_canary_staleness_seconds",
        "From a write of the canary until the last read of what was there before, lately: the longest",
        max,
        lambda r: r.canary.staleness.longest(boottime()),
    ),
    Gauge(
        "ticket_home_canary_silent_seconds",
        "Since a worker read a new value of the canary: the longest; 0 where it is off",
        max,
        lambda r: r.canary.silent(),
    ),
    Gauge(
        "ticket_home_database_connections_limit",
        "Connections that the workers' pools may have",
        sum,
        lambda r: r.settings.database_pool_size,
    ),
    Gauge("ticket_home_database_connections", "Connections in use", sum, in_use),
    Gauge(
        "ticket_home_database_waiting",
        "Who waits for a connection of the pool",
        sum,
        lambda r: r.database.waits.waiting,
    ),
    Gauge("ticket_home_sessions_held", "Sessions in memory, each in every worker that it asked", sum, held_sessions),
    Gauge("ticket_home_event_streams", "Event streams that are open", sum, lambda r: len(r.events)),
    Gauge(
        "ticket_home_event_lag_seconds",
        "From when a worker had a change to tell until all clients that listen had been told, lately: the longest",
        max,
        lambda r: r.events.lag.longest(boottime()),
    ),
    Gauge(
        "ticket_home_listener_connected",
        "1 while all workers are told of changes",
        min,
        lambda r: r.listener.is_told,
    ),
)
BUILD = "ticket_home_build_info"
"""1, by what is served: of the replica, and not added up."""
PROCESS: dict[str, tuple[str, Callable[[list[float]], float]]] = {
    "process_virtual_memory_bytes": ("Of all workers", sum),
    "process_resident_memory_bytes": ("Of all workers; what they share counts for each", sum),
    "process_start_time_seconds": ("Of the worker that was started last, since the Unix epoch", max),
    "process_open_fds": ("Of the worker with most", max),
    "process_max_fds": ("Of the worker with fewest", min),
}
"""What the kernel says of a process: (text, what one value is made of all workers' by)."""
SILENT, MISSING = "ticket_home_worker_silent_seconds", "ticket_home_workers_missing"
TOGETHER = {
    SILENT: "Since the worker that is silent longest told its figures",
    MISSING: "Processes that are to serve, and have told no figures yet: they start, or never come that far",
}
"""What no worker measures of itself."""
