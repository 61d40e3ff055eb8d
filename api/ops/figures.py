"""What one process has to tell at `/metrics`, and how several processes' figures become the service's.

A new metric is one line of COUNTERS or GAUGES. Counters of all workers are summed, those that died included; a gauge is
of the living ones, and says what of them all is told.
"""

import gc
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import ProcessCollector

from api.middleware.request_stats import RequestStats, Times
from api.ops.loop_lag import LOOP_LAG
from core.runtime import Runtime

Labelled = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class Counter:
    """Of Prometheus: `_total` is added to its name. `read` gives label values and what was counted under them."""

    name: str
    text: str
    read: Callable[[Runtime], Labelled]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gauge:
    """`of` makes one figure of all living workers'."""

    name: str
    text: str
    of: Callable[[list[float]], float]
    read: Callable[[Runtime], float]


def one(value: float) -> Labelled:
    return [((), value)]


def collections(name: str) -> Callable[[Runtime], Labelled]:
    return lambda _: [((str(generation),), told[name]) for generation, told in enumerate(gc.get_stats())]


COUNTERS = (
    Counter(
        "ticket_home_cache_reads",
        "Cached reads",
        lambda runtime: list(runtime.cache.stats.counts.items()),
        ("policy", "outcome", "tier"),
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
        lambda _: LOOP_LAG.longest(),
    ),
    Gauge("ticket_home_can_write", "1 while all workers can write", min, lambda r: r.readiness.could_write),
    Gauge("ticket_home_cache_memory_bytes", "Held by the memory tiers", sum, lambda r: r.cache.memory.bytes),
    Gauge("ticket_home_cache_memory_entries", "Entries in the memory tiers", sum, lambda r: len(r.cache.memory)),
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
        "ticket_home_listener_connected",
        "1 while all workers are told of changes",
        min,
        lambda r: r.listener.connected,
    ),
)
PROCESS: dict[str, tuple[str, Callable[[list[float]], float]]] = {
    "process_virtual_memory_bytes": ("Of all workers", sum),
    "process_resident_memory_bytes": ("Of all workers; what they share counts for each", sum),
    "process_start_time_seconds": ("Of the worker that was started last, since the Unix epoch", max),
    "process_open_fds": ("Of the worker with most", max),
    "process_max_fds": ("Of the worker with fewest", min),
}
"""As the kernel tells them of a process."""
SILENT = "ticket_home_worker_silent_seconds"
"""Told of the others' figures, not by a worker about itself."""


@dataclass(slots=True)
class Figures:
    requests: dict[tuple[str, str, int], Times] = field(default_factory=dict)
    """By method, route template and status."""
    counters: dict[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)
    """By name and label values."""
    gauges: dict[str, float] = field(default_factory=dict)
    told: float = 0.0
    """When, by the machine's monotonic clock."""

    def add_counts(self, other: "Figures") -> None:
        """In the same order everywhere: sums of floats are the same then, and no scrape is a last digit behind."""
        for key, times in other.requests.items():
            sums = self.requests.setdefault(key, Times())
            sums.total += times.total
            sums.counts = [a + b for a, b in zip(sums.counts, times.counts, strict=True)]
        for name, value in other.counters.items():
            self.counters[name] = self.counters.get(name, 0) + value

    def dump(self) -> bytes:
        requests = [[*key, times.total, times.counts] for key, times in self.requests.items()]
        counters = [[name, labels, value] for (name, labels), value in self.counters.items()]
        return json.dumps([requests, counters, self.gauges, self.told], separators=(",", ":")).encode()

    @classmethod
    def load(cls, raw: bytes) -> "Figures":
        requests, counters, gauges, told = json.loads(raw)
        return cls(
            {(method, route, status): Times(total, counts) for method, route, status, total, counts in requests},
            {(name, tuple(labels)): value for name, labels, value in counters},
            gauges,
            told,
        )


def of_this_process(stats: RequestStats, runtime: Runtime) -> Figures:
    counters = {(each.name, labels): value for each in COUNTERS for labels, value in each.read(runtime)}
    gauges = {each.name: float(each.read(runtime)) for each in GAUGES} | dict(_process())
    return Figures(dict(stats.times), counters, gauges, time.monotonic())


def of_all(workers: list[tuple[Figures, bool]]) -> Figures:
    """Each with whether it lives. `told` is the oldest of the living ones."""
    summed = Figures()
    for figures, _ in workers:
        summed.add_counts(figures)
    living = [figures for figures, lives in workers if lives]
    rules: dict[str, Any] = {each.name: each.of for each in GAUGES} | {name: of for name, (_, of) in PROCESS.items()}
    for name, of in rules.items():
        values = [figures.gauges[name] for figures in living if name in figures.gauges]
        if values:
            summed.gauges[name] = of(values)
    summed.told = min(figures.told for figures in living)
    return summed


def _process() -> Iterator[tuple[str, float]]:
    for metric in ProcessCollector(registry=None).collect():
        for sample in metric.samples:
            if sample.name in PROCESS:
                yield sample.name, sample.value
