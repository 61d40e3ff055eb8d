"""The metrics in Prometheus's text format, rendered from samples when they are scraped."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, PlatformCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.middleware.request_stats import BUCKETS
from api.ops import metrics
from api.ops.samples import Samples


def exposition(samples: Samples, served: dict[str, str]) -> bytes:
    """The body of /metrics. `served`: release and replica."""
    made = CollectorRegistry()
    PlatformCollector(registry=made)
    made.register(Rendered(samples, served))
    return generate_latest(made)


class Rendered(Collector):
    def __init__(self, samples: Samples, served: dict[str, str]) -> None:
        self._samples = samples
        self._served = served

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield from self._counters()
        texts = {each.name: each.text for each in metrics.GAUGES} | metrics.TOGETHER
        texts |= {name: text for name, (text, _) in metrics.PROCESS.items()}
        for name, value in self._samples.gauges.items():
            yield GaugeMetricFamily(name, texts[name], value=value)
        build = GaugeMetricFamily(metrics.BUILD, "What is served", labels=list(self._served))
        build.add_metric(list(self._served.values()), 1)
        yield build

    def _requests(self) -> Metric:
        family = HistogramMetricFamily(
            "ticket_home_request_seconds", "Time to answer, by route template", labels=["method", "route", "status"]
        )
        for (method, route, status), times in self._samples.requests.items():
            cumulated, buckets = 0, []
            for edge, count in zip([*BUCKETS, float("inf")], times.counts, strict=True):
                cumulated += count
                buckets.append(("+Inf" if edge == float("inf") else str(edge), cumulated))
            family.add_metric([method, route, str(status)], buckets, times.total)
        return family

    def _counters(self) -> Iterator[Metric]:
        families = {
            each.name: CounterMetricFamily(each.name, each.text, labels=list(each.labels)) for each in metrics.COUNTERS
        }
        for (name, labels), value in self._samples.counters.items():
            families[name].add_metric(list(labels), value)
        yield from families.values()
