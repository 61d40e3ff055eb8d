"""Prometheus metrics, rendered from plain numbers when they are scraped."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, PlatformCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.middleware.request_stats import BUCKETS
from api.ops.figures import COUNTERS, GAUGES, PROCESS, SILENT, Figures


def exposition(figures: Figures) -> bytes:
    made = CollectorRegistry()
    PlatformCollector(registry=made)
    made.register(Rendered(figures))
    return generate_latest(made)


class Rendered(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield from self._counters()
        texts = {each.name: each.text for each in GAUGES} | {name: text for name, (text, _) in PROCESS.items()}
        for name, value in self._figures.gauges.items():
            yield GaugeMetricFamily(name, texts[name], value=value)
        silent = time.monotonic() - self._figures.told
        yield GaugeMetricFamily(SILENT, "Since the worker that is silent longest told its figures", value=silent)

    def _requests(self) -> Metric:
        family = HistogramMetricFamily(
            "ticket_home_request_seconds", "Time to answer, by route template", labels=["method", "route", "status"]
        )
        for (method, route, status), times in self._figures.requests.items():
            cumulated, buckets = 0, []
            for edge, count in zip([*BUCKETS, float("inf")], times.counts, strict=True):
                cumulated += count
                buckets.append(("+Inf" if edge == float("inf") else str(edge), cumulated))
            family.add_metric([method, route, str(status)], buckets, times.total)
        return family

    def _counters(self) -> Iterator[Metric]:
        families = {each.name: CounterMetricFamily(each.name, each.text, labels=list(each.labels)) for each in COUNTERS}
        for (name, labels), value in self._figures.counters.items():
            families[name].add_metric(list(labels), value)
        yield from families.values()
