"""An empty Redis under load: how long until answers are as quick as before.

    .venv/bin/python -m bench.flush [--workers 2] [--connections 32] [--clinics 20] [--tickets 100000]

Two things are emptied. FLUSHALL alone: processes' memories go on answering. FLUSHALL with every version bumped at the
same instant: no entry anywhere is of use, and all keys are asked for at once. Printed are the time from then until
p99 is within 1.5 × of before for half a second, what clients saw meanwhile, and how many computations it took for how
many keys. The load comes from the same machine.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import asyncpg
import httpx
import redis.asyncio as redis_client

from bench.load.sampled import Load, Window, window
from core.db.schema.migrate import upgrade
from core.operations.demo.filling import fill_demo
from core.operations.embedded import start_servers

PASSWORD = "a-bench-needs-one"
PATHS = (
    *("/v1/dashboard", "/v1/dashboard?date_from=2026-01-01", "/v1/dashboard?date_from=2025-01-01"),
    *("/v1/surgeries", "/v1/doctors", "/v1/specialties", "/v1/reasons", "/v1/urgency-thresholds"),
)
STEP = 0.1
"""Seconds of a window."""
SETTLE = 2.0
"""Seconds that tell how it was before."""
BACK = 1.5
STEADY = 5
"""Windows in a row that must be as quick as before."""
PUBLISHED = 2.5
"""Seconds after which every process's counts can be read."""
BUMP_ALL = "SELECT cache_invalidate(NULL, NULL)"


@dataclass(frozen=True)
class Recovery:
    before: Window
    seconds: float
    """Until p99 was back; infinite where it was not."""
    worst: float
    """The worst window's p99 meanwhile, milliseconds."""
    failed: int


async def recovery(load: Load, empty: Callable[[], Awaitable[object]], most: float = 15.0) -> Recovery:
    """Under a running load: how it was before, and how it came back after `empty`."""
    await asyncio.sleep(SETTLE)
    before = window(load.samples, perf_counter() - SETTLE, SETTLE)
    at = perf_counter()
    await empty()
    windows: list[Window] = []
    while not is_back(windows, before) and len(windows) * STEP < most:
        ends = at + (len(windows) + 1) * STEP
        await asyncio.sleep(max(0.0, ends - perf_counter()))
        windows.append(window(load.samples, ends - STEP, STEP))
    return Recovery(
        before=before,
        seconds=(len(windows) - STEADY) * STEP if is_back(windows, before) else float("inf"),
        worst=max(one.p99 for one in windows),
        failed=sum(one.failed for one in windows),
    )


def is_back(windows: list[Window], before: Window) -> bool:
    last = windows[-STEADY:]
    return len(last) == STEADY and all(one.p99 <= BACK * before.p99 for one in last)


async def computations(url: str, superuser: str) -> int:
    """In all processes since they started, sessions left out."""
    await asyncio.sleep(PUBLISHED)
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": superuser}, timeout=20) as client:
        status = (await client.get("/v1/admin/cache")).json()
    return sum(row["misses"] for row in status["policies"] if row["tier"] == "database" and row["policy"] != "session")


async def bearer(url: str, username: str) -> str:
    login = {"username": username, "password": PASSWORD, "client": "mobile"}
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        answer = await client.post("/v1/auth/login", json=login)
    answer.raise_for_status()
    return f"Bearer {answer.json()['token']}"


async def measure(port: int, database_url: str, redis_url: str, connections: int) -> None:
    url = f"http://127.0.0.1:{port}"
    database = await asyncpg.connect(database_url)
    prefixes = [row["prefix"].lower() for row in await database.fetch("SELECT prefix FROM clinic ORDER BY id")]
    users = [await bearer(url, f"admin_{prefix}") for prefix in prefixes]
    superuser = await bearer(url, "superuser")
    redis = redis_client.Redis.from_url(redis_url)
    load = Load(port, [(path, user) for path in PATHS for user in users])

    async def empty_both() -> None:
        await asyncio.gather(redis.flushall(), database.execute(BUMP_ALL))

    print(f"{len(PATHS) * len(users)} keys, {connections} connections")
    print(f"{'emptied':<28}{'req/s':>8}{'p99 ms':>8}{'back after s':>14}{'worst p99':>11}{'failed':>8}{'computed':>10}")
    async with load.on(connections):
        await asyncio.sleep(SETTLE)
        for name, empty in (("Redis", redis.flushall), ("Redis, and every version", empty_both)) * 3:
            already = await computations(url, superuser)
            found = await recovery(load, empty)
            computed = await computations(url, superuser) - already
            before, rate = found.before, found.before.requests / SETTLE
            print(
                f"{name:<28}{rate:>8.0f}{before.p99:>8.1f}{found.seconds:>14.1f}{found.worst:>11.1f}"
                f"{found.failed:>8}{computed:>10}",
                flush=True,
            )
    await redis.aclose()
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("workers", 2), ("connections", 32), ("clinics", 20), ("tickets", 100_000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = start_servers(Path(folder), durable=False)
        try:
            upgrade(servers.database_url)
            asyncio.run(
                fill_demo(
                    servers.database_url,
                    clinics=options.clinics,
                    tickets=options.tickets,
                    seed=1,
                    password=PASSWORD,
                    progress=False,
                )
            )
            environment = os.environ | {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
            with (Path(folder) / "log").open("wb") as log:
                command = [str(Path(sys.executable).parent / "ticket-home"), "serve", "--port", "8791"]
                serving = subprocess.Popen(
                    [*command, "--workers", str(options.workers)], env=environment, stdout=log, stderr=log
                )
            try:
                asyncio.run(until_ready(8791))
                asyncio.run(measure(8791, servers.database_url, servers.redis_url, options.connections))
            finally:
                serving.terminate()
                serving.wait(20)
        finally:
            servers.stop()


async def until_ready(port: int) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(f"http://127.0.0.1:{port}/livez")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


if __name__ == "__main__":
    main()
