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
DURATION = re.compile(r"\b(\d+)([smhd])\b")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


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
        return await self._alerts('ALERTS{alertstate="firing"}')

    async def firing_soon(self) -> set[str]:
        """Those, and the ones whose condition holds, though not for long enough yet."""
        return await self._alerts("ALERTS")

    async def _alerts(self, query: str) -> set[str]:
        return {one["metric"]["alertname"].removeprefix("TicketHome") for one in await self.ask(query)}


def quick_rules() -> str:
    """deploy/alerts.yaml with the same conditions over seconds: of each window and each `for` the fourth root, which
    makes two seconds of half a minute and twenty of three days, and leaves the longer one the longer one."""
    rules = re.sub(r"\[[\dsmhd:]+\]|for: \w+", lambda found: DURATION.sub(_quick, found[0]), _rules())
    return rules.replace("ticket_home_canary_silent_seconds > 30", "ticket_home_canary_silent_seconds > 4")


def _rules() -> str:
    return (DEPLOYED / "alerts.yaml").read_text()


def _quick(duration: re.Match[str]) -> str:
    seconds = int(duration[1]) * SECONDS[duration[2]]
    return f"{1000 * seconds**0.25:.0f}ms"


def alerts() -> set[str]:
    """The names of all that there are, without the prefix that all have."""
    return set(re.findall(r"- alert: TicketHome(\w+)", _rules()))


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
