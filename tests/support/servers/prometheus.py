"""A real Prometheus, from Debian, that scrapes what a test serves."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.support.machine import wait_until
from tests.support.processes.commands import ROOT
from tests.support.processes.services import free_port
from tests.support.servers.debian import program

DEPLOYED = ROOT / "deploy"
EVERY = "500ms"
WINDOW = "[5s]"
"""In place of the rules' windows."""


@dataclass(frozen=True)
class Prometheus:
    url: str

    async def ask(self, query: str) -> list[dict[str, Any]]:
        """The series of an instant query, each with `metric` and `value`. Fails where it cannot be parsed."""
        async with httpx.AsyncClient(timeout=20) as client:
            answer = await client.get(f"{self.url}/api/v1/query", params={"query": query})
        assert answer.status_code == 200, f"{query}: {answer.text}"
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    async def firing(self) -> set[str]:
        """The alerts that fire now, without the prefix that all have."""
        series = await self.ask('ALERTS{alertstate="firing"}')
        return {one["metric"]["alertname"].removeprefix("TicketHome") for one in series}


def quick_rules() -> str:
    """deploy/alerts.yaml with the same conditions over seconds instead of minutes and days."""
    rules = (DEPLOYED / "alerts.yaml").read_text()
    rules = re.sub(r"\[\d+[mhd]\]", WINDOW, rules)
    rules = re.sub(r"for: \d+[smh]", "for: 1s", rules)
    return rules.replace("ticket_home_canary_silent_seconds > 30", "ticket_home_canary_silent_seconds > 4")


@contextmanager
def prometheus(folder: Path, ports: Sequence[int]) -> Iterator[Prometheus]:
    """One that scrapes each of the ports, as deploy/prometheus.yaml says but for the times, once it is ready."""
    server = program("prometheus", "prometheus")
    folder.mkdir()
    config = yaml.safe_load((DEPLOYED / "prometheus.yaml").read_text())
    config["global"] = {"scrape_interval": EVERY, "scrape_timeout": EVERY, "evaluation_interval": EVERY}
    [job] = config["scrape_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    job["authorization"]["credentials_file"] = str(folder / "token")
    (folder / "token").write_text("nobody's")
    (folder / "prometheus.yaml").write_text(json.dumps(config))
    (folder / "alerts.yaml").write_text(quick_rules())
    address = f"127.0.0.1:{free_port()}"
    options = {"config.file": folder / "prometheus.yaml", "storage.tsdb.path": folder, "web.listen-address": address}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [server, *(f"--{name}={value}" for name, value in options.items())], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        with httpx.Client(base_url=f"http://{address}") as asking:
            wait_until(lambda: _is_ready(asking, process, folder / "log"))
        yield Prometheus(f"http://{address}")
    finally:
        process.kill()
        process.wait()


def _is_ready(asking: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return asking.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False
