"""deploy/grafana/ticket-home.json is a dashboard as Grafana's own types have it, and draws what Prometheus has."""

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.support.machine import until
from tests.support.processes.commands import ROOT, TICKET_HOME, environment
from tests.support.processes.services import serving
from tests.support.servers.prometheus import Prometheus, prometheus
from tests.support.signing_in import bearer

FILE = ROOT / "deploy" / "grafana" / "ticket-home.json"
FILLED_IN = {"$instance": ".*", "$__rate_interval": "5s", "${datasource}": "prometheus"}
"""What Grafana fills in."""


def panels() -> Iterator[dict[str, Any]]:
    """Those that draw something."""
    for panel in json.loads(FILE.read_text())["panels"]:
        yield from (each for each in (panel, *panel.get("panels", [])) if each["type"] != "row")


def queries() -> Iterator[str]:
    for panel in panels():
        for target in panel["targets"]:
            query: str = target["expr"]
            for name, value in FILLED_IN.items():
                query = query.replace(name, value)
            yield query


def test_it_has_what_grafanas_types_have_and_nothing_else() -> None:
    """Whatever they do not know, or would write otherwise, is lost on the way."""
    register_default_plugins()
    written = json.loads(FILE.read_text())
    assert json.loads(JSONEncoder().encode(Dashboard.from_json(written))) == written


def test_it_can_be_opened() -> None:
    written = json.loads(FILE.read_text())
    assert (written["uid"], written["title"]) == ("ticket-home", "Ticket Home")
    assert {variable["name"] for variable in written["templating"]["list"]} == {"datasource", "instance"}
    places = [tuple(panel["gridPos"][name] for name in "xywh") for panel in panels()]
    assert all(x + w <= 24 for x, _, w, _ in places)
    assert len({(x, y) for x, y, _, _ in places}) == len(places)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels())


@pytest.mark.long
async def test_each_query_has_series_on_a_busy_run(settings: Settings, seed: Seed, tmp_path: Path) -> None:
    given = environment(settings) | {"CANARY_SECONDS": "1", "CACHE_REFRESH_AHEAD": "true"}
    with (
        serving(TICKET_HOME, "serve", environment=given, log=tmp_path / "log") as served,
        prometheus(tmp_path / "prometheus", [served.port]) as watched,
    ):
        headers, above = bearer(served.url, seed.sant.admin), bearer(served.url, seed.superuser)
        async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=20) as client:
            numbers = count()

            async def goes_on() -> None:
                while True:
                    for path in ("/v1/dashboard", "/v1/doctors", "/v1/nursing-board", "/v1/tickets", "/v1/events"):
                        await client.get(path)
                    renamed = {"name": f"Dra. {next(numbers)}"}
                    await client.patch(f"/v1/doctors/{seed.sant.doctor_id}", json=renamed, headers=above)
                    await asyncio.sleep(0.1)

            busy = asyncio.create_task(goes_on())
            missing = list(queries())

            async def all_have() -> bool:
                assert not busy.done()
                missing[:] = [query for query in missing if not await _has_series(watched, query)]
                return not missing

            try:
                await until(all_have)
            finally:
                busy.cancel()
            assert missing == []


async def _has_series(watched: Prometheus, query: str) -> bool:
    return bool(await watched.ask(query))
