"""Prometheus metrics, rendered from plain counters when they are scraped."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.ops.request_stats import BUCKETS, RequestStats
from core.runtime import Runtime


def registry(stats: RequestStats, runtime: Runtime) -> CollectorRegistry:
    made = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=made)
    made.register(RequestMetrics(stats))
    made.register(CacheMetrics(runtime))
    return made


class RequestMetrics(Collector):
    def __init__(self, stats: RequestStats) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(
            "ticket_home_request_seconds", "Time to answer, by route template", labels=["method", "route", "status"]
        )
        for (method, route, status), times in list(self._stats.times.items()):
            cumulated, buckets = 0, []
            for edge, count in zip([*BUCKETS, float("inf")], times.counts, strict=True):
                cumulated += count
                buckets.append(("+Inf" if edge == float("inf") else str(edge), cumulated))
            family.add_metric([method, route, str(status)], buckets, times.total)
        yield family


class CacheMetrics(Collector):
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[Metric]:
        cache, versions, redis = self._runtime.cache, self._runtime.versions, self._runtime.redis
        reads = CounterMetricFamily("ticket_home_cache_reads", "Cached reads", labels=["policy", "outcome", "tier"])
        for (policy, outcome, tier), count in list(cache.stats.counts.items()):
            reads.add_metric([policy, outcome, tier], count)
        yield reads
        yield CounterMetricFamily("ticket_home_redis_errors", "Failed operations on Redis", value=redis.errors)
        yield CounterMetricFamily(
            "ticket_home_cache_evictions", "Entries put out of memory by its bound", value=cache.memory.evicted
        )
        for name, text, value in (
            ("ticket_home_cache_memory_bytes", "Held by the memory tier", cache.memory.bytes),
            ("ticket_home_cache_memory_entries", "Entries in the memory tier", len(cache.memory)),
            ("ticket_home_cache_flights", "Computations under way", len(cache.flights)),
            ("ticket_home_cache_lease_age_seconds", "Since the poll the version map rests on", versions.lease_age()),
            ("ticket_home_cache_versions", "Rows in the version map", len(versions)),
            ("ticket_home_redis_breaker_open", "1 while Redis is not asked", float(redis.breaker.is_open)),
            ("ticket_home_listener_connected", "1 while changes are pushed", float(self._runtime.listener.connected)),
        ):
            yield GaugeMetricFamily(name, text, value=value)
