"""OpenTelemetry: what a request did is told to whoever is configured, with nothing of what clients sent; where nobody
is, nothing is in the way."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from api.app import create_app
from api.middleware.request_spans import RequestSpans
from core.cache.read_through import Cache
from core.runtime import open_runtime
from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.observability.collector import collector
from tests.observability.receiver import Received, receiver, told
from tests.support.days import lately
from tests.support.machine import until
from tests.support.processes.commands import TICKET_HOME, environment
from tests.support.processes.services import Serving, serving
from tests.support.signing_in import bearer

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NAMES = ("Zunilda", "Quilapan", "21345678", "21.345.678")


def named(spans: list[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


def under(spans: list[Span], parent: Span) -> list[Span]:
    return [span for span in spans if span.parent_span_id == parent.span_id]


async def works(served: Serving, seed: Seed) -> str:
    """A ward's requests, some of which fail, all with a patient in them; the metrics after them."""
    headers = bearer(served.url, seed.sant.admin) | {
        "traceparent": f"00-{TRACE}-{PARENT}-01",
        "tracestate": "a=Zunilda",
    }
    patient = {"document_type": "rut", "document": "21.345.678-9", "first_name": "Zunilda", "last_name": "Quilapan"}
    body: dict[str, Any] = {"patient": patient, "surgery_id": seed.sant.surgery_id, "surgery_at": lately()}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=20) as client:
        for sent in (body, body | {"surgery_at": "Quilapan"}, body | {"surgery_id": 999_999}):
            await client.post("/v1/tickets", json=sent)
        await client.get("/v1/tickets", params={"q": "Zunilda Quilapan"})
        await client.get("/v1/nursing-board", params={"q": "21.345.678-9"})
        await client.get("/Zunilda/Quilapan")
        for _ in range(3):
            assert (await client.get("/v1/dashboard")).status_code == 200
        return (await client.get("/metrics")).text


@contextmanager
def straight(to: str, _folder: Path) -> Iterator[str]:
    """Without a collector in between."""
    yield to


def is_whole(received: Received) -> Callable[[], bool]:
    return lambda: len(named(received.spans(), "GET /v1/dashboard")) == 3


@pytest.mark.parametrize("through", [straight, pytest.param(collector, marks=pytest.mark.long)])
async def test_a_request_a_read_a_fill_and_statements_are_spans_and_name_nobody(
    settings: Settings,
    seed: Seed,
    tmp_path: Path,
    through: Callable[..., AbstractContextManager[str]],
) -> None:
    with receiver() as received, through(received.url, tmp_path) as url:
        given = environment(settings) | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "REPLICA": "ward-7",
            # FastAPI's own would tell paths and queries.
            "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
        }
        with serving(TICKET_HOME, "serve", environment=given, log=tmp_path / "log") as served:
            metrics = await works(served, seed)
            await until(is_whole(received))
    spans = received.spans()
    dashboards = named(spans, "GET /v1/dashboard")
    # The caller's trace goes on here.
    assert {(span.trace_id.hex(), span.parent_span_id.hex()) for span in dashboards} == {(TRACE, PARENT)}
    first, *others = sorted(dashboards, key=lambda span: span.start_time_unix_nano)
    [read] = under(spans, first)
    assert (read.name, told(read.attributes)["ticket_home.cache.outcome"]) == ("read dashboard", "miss")
    [fill] = named(under(spans, read), "fill dashboard")
    assert {span.name for span in under(spans, fill)} == {"WITH"}
    statement = told(under(spans, fill)[0].attributes)
    assert statement["db.system.name"] == "postgresql"
    for hit in others:
        # By the routes: a prepared hit would leave no span.
        [read] = under(spans, hit)
        assert told(read.attributes)["ticket_home.cache.tier"] == "memory"
        assert told(hit.attributes)["http.response.status_code"] == 200
        assert told(hit.attributes)["ticket_home.clinic_id"] == seed.sant.id
    assert "ticket_home_prepared_hits_total 0.0" in metrics
    assert {"GET", "GET /v1/tickets", "POST /v1/tickets"} <= {span.name for span in spans}
    [resource] = {json.dumps(one, sort_keys=True) for one in received.resources()}
    assert json.loads(resource)["service.name"] == "ticket-home"
    assert json.loads(resource)["service.instance.id"].startswith("ward-7/")
    assert [name for name in NAMES if name.lower().encode() in received.raw.lower()] == []
    assert not [span for span in spans if span.events or span.status.message]
    assert not [span for span in spans if span.kind != Span.SPAN_KIND_SERVER and not span.parent_span_id]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"OTEL_SERVICE_NAME": "x"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
async def test_where_nobody_wants_traces_nothing_is_in_the_way(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    used: list[object] = [one.cls for one in create_app(settings).user_middleware]
    assert RequestSpans not in used
    async with open_runtime(settings) as runtime:
        assert runtime.tracing is None
        assert type(runtime.cache) is Cache
