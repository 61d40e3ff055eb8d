"""The metrics are named as Prometheus asks, as its own tool finds."""

import asyncio
import subprocess
from pathlib import Path

import httpx

from tests.conftest import SignIn
from tests.factories.fixtures import Seed
from tests.support.servers.debian import program


async def test_promtool_finds_nothing_in_the_metrics(client: httpx.AsyncClient, sign_in: SignIn, seed: Seed) -> None:
    promtool = program("promtool", "prometheus")
    viewer = await sign_in(seed.sant.viewer)
    for _ in range(2):
        await viewer.get("/v1/dashboard")
    body = (await client.get("/metrics")).text
    for name in ("request_seconds_bucket", "cache_reads_total", "build_info", "database_waits_total"):
        assert f"ticket_home_{name}{{" in body
    checked = await asyncio.to_thread(_check, promtool, body)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def _check(promtool: Path, metrics: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True, text=True, check=False)
