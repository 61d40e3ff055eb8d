"""A metric is one line of api/ops/metrics.py."""

import httpx
import pytest

from api.ops import metrics
from api.ops.metrics import Counter, Gauge


async def test_every_metric_is_told_with_its_text(client: httpx.AsyncClient) -> None:
    lines = (await client.get("/metrics")).text.splitlines()
    for counter in metrics.COUNTERS:
        assert f"# HELP {counter.name}_total {counter.text}" in lines
    for gauge in metrics.GAUGES:
        assert f"# HELP {gauge.name} {gauge.text}" in lines


async def test_a_new_metric_is_one_line(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    beds = Counter("beds_made", "Beds made, by ward", lambda _: [(("UCI",), 3), (("UTI",), 4)], ("ward",))
    nurses = Gauge("nurses", "Nurses awake", sum, lambda _: 5)
    monkeypatch.setattr(metrics, "COUNTERS", (*metrics.COUNTERS, beds))
    monkeypatch.setattr(metrics, "GAUGES", (*metrics.GAUGES, nurses))
    lines = (await client.get("/metrics")).text.splitlines()
    assert {'beds_made_total{ward="UCI"} 3.0', 'beds_made_total{ward="UTI"} 4.0', "nurses 5.0"} <= set(lines)
