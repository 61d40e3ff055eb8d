"""`GET /v1/admin/cache` over real workers: it sums them all, and a killed one is not counted for long."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import times
from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.faults.clients.crowd import crowd
from tests.support.machine import until
from tests.support.processes.services import worker_pids, workers
from tests.support.signing_in import bearer

CONNECTIONS, ROUNDS = 40, 3


def answers(status: dict[str, Any]) -> int:
    """Of the doctors' list, by all processes: hits of memory or Redis, computed ones, and who waited for either."""
    rows = [row for row in status["policies"] if row["policy"] == "doctors"]
    computed = sum(row["misses"] for row in rows if row["tier"] == "database")
    return int(sum(row["hits"] + row["collapsed"] for row in rows) + computed)


@pytest.mark.long
async def test_the_figures_of_all_workers_are_summed_and_a_killed_ones_forgotten(
    settings: Settings, seed: Seed, tmp_path: Path
) -> None:
    with workers(settings, 2, tmp_path / "log") as served:
        user, superuser = bearer(served.url, seed.sant.viewer), bearer(served.url, seed.superuser)
        async with (
            crowd(served.port, CONNECTIONS, user) as clients,
            httpx.AsyncClient(base_url=served.url, headers=superuser) as admin,
        ):

            async def status() -> dict[str, Any]:
                found: dict[str, Any] = (await admin.get("/v1/admin/cache")).json()
                return found

            for _ in range(ROUNDS):
                await clients.get("/v1/doctors")

            async def are_summed() -> bool:
                return answers(await status()) == CONNECTIONS * ROUNDS

            await until(are_summed, within=3 * times.PUBLISH_EVERY)
            assert (await status())["processes"] == 2
        os.kill(worker_pids(served)[0], signal.SIGKILL)
        # Its master starts another: three for as long as the killed one's figures are young, then two.
        async with httpx.AsyncClient(base_url=served.url, headers=superuser) as admin:
            await until(lambda: len(worker_pids(served)) == 2)

            async def report() -> dict[str, Any]:
                found: dict[str, Any] = (await admin.get("/v1/admin/cache")).json()
                return found

            async def is_forgotten() -> bool:
                return answers(await report()) < CONNECTIONS * ROUNDS

            async def are_two() -> bool:
                found = await report()
                return (found["processes"], found["complete"]) == (2, True)

            await until(is_forgotten, within=times.PUBLISHED + 2 * times.PUBLISH_EVERY)
            # The other one publishes as soon as it has started, which takes a busy machine its time.
            await until(are_two)
