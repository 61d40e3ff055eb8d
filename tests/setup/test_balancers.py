"""docs/proxies.md: behind nginx and haproxy as it says, no request meets a connection that is just being closed."""

import asyncio
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

import httpx
import pytest

from core.settings import Settings
from tests.support import machine
from tests.support.processes.commands import TICKET_HOME, environment
from tests.support.processes.services import Serving, free_port, serving
from tests.support.servers.debian import program

pytestmark = pytest.mark.long

PAGE = Path(__file__).parents[2] / "docs" / "proxies.md"
SERVICES, BALANCERS = 2.0, 1.0
"""Seconds of keep-alive: in the page's proportion, or a little closer."""
CLIENTS = 24
ROUNDS = 8


def example(language: str) -> str:
    """The balancer's configuration that the documentation shows, with this test's ports and times."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def nginx(folder: Path, port: int, service: int) -> list[str]:
    text = example("nginx").replace("127.0.0.1:8000", f"127.0.0.1:{service}").replace("listen 80;", f"listen {port};")
    assert "keepalive_timeout 60s;" in text
    text = text.replace("keepalive_timeout 60s;", f"keepalive_timeout {BALANCERS:g}s;")
    frame = Template(
        "daemon off; pid $folder/pid; error_log $folder/error.log; user root; worker_processes 1;\n"
        "events {}\nhttp { access_log off; client_body_temp_path $folder/body; proxy_temp_path $folder/proxy;\n"
        "fastcgi_temp_path $folder/f; uwsgi_temp_path $folder/u; scgi_temp_path $folder/s;\n$text }\n"
    )
    (folder / "nginx.conf").write_text(frame.substitute(folder=folder, text=text))
    return [str(program("nginx", "nginx-light")), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def haproxy(folder: Path, port: int, service: int) -> list[str]:
    text = (
        example("haproxy")
        .replace("127.0.0.1:8000", f"127.0.0.1:{service}")
        .replace("bind :80", f"bind 127.0.0.1:{port}")
    )
    assert "pool-purge-delay 5s" in text
    text = text.replace("pool-purge-delay 5s", f"pool-purge-delay {BALANCERS / 10 * 1000:g}ms")
    (folder / "haproxy.cfg").write_text(text)
    return [str(program("haproxy", "haproxy")), "-db", "-f", str(folder / "haproxy.cfg")]


@contextmanager
def balancer(kind: str, folder: Path, service: Serving) -> Iterator[str]:
    """The address of a running balancer, once it answers."""
    folder.mkdir()
    port = free_port()
    command = {"nginx": nginx, "haproxy": haproxy}[kind](folder, port, service.port)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        machine.wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz", process, folder / "log"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


async def posts(url: str, number: int) -> list[int]:
    """The statuses of ROUNDS requests of one client, with pauses about as long as the balancer's keep-alive and the
    service's."""
    statuses = []
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        for turn in range(ROUNDS):
            answer = await client.post("/v1/tickets", json={"number": number})
            statuses.append(answer.status_code)
            around = BALANCERS if turn % 2 else SERVICES
            await asyncio.sleep(around * (0.9 + 0.2 * number / CLIENTS))
    return statuses


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
async def test_posts_after_a_pause_are_answered_by_the_service(settings: Settings, tmp_path: Path, kind: str) -> None:
    given = environment(settings) | {"KEEP_ALIVE_SECONDS": f"{SERVICES:g}"}
    with (
        serving(TICKET_HOME, "serve", environment=given, log=tmp_path / "log") as service,
        balancer(kind, tmp_path / kind, service) as url,
    ):
        statuses = await asyncio.gather(*(posts(url, number) for number in range(CLIENTS)))
    assert {status for of_one in statuses for status in of_one} == {401}, statuses
