"""`GET /metrics` is the service's, whichever worker is asked: nothing is counted twice, and nothing is taken back."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.faults.clients.crowd import crowd
from tests.support.machine import until
from tests.support.processes.services import Serving, worker_pids, workers
from tests.support.processes.state import alive
from tests.support.signing_in import bearer

CONNECTIONS, ROUNDS = 40, 5
LOOKS = 20
"""Scrapes, each on a connection of its own: whichever worker takes it."""
DOCTORS = ("ticket_home_request_seconds_count", "GET", "/v1/doctors", "200")
Samples = dict[tuple[str, ...], float]


def scrape(url: str) -> tuple[Samples, Samples]:
    """(what only grows, gauges), by name and label values."""
    counters: Samples = {}
    gauges: Samples = {}
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=20).text):
        found = gauges if family.type == "gauge" else counters
        for sample in family.samples:
            key = (sample.name, *(value for _, value in sorted(sample.labels.items())))
            assert key not in found, f"{key} is told twice"
            found[key] = sample.value
    return counters, gauges


def fallen(before: Samples, now: Samples) -> list[tuple[str, ...]]:
    return [key for key, value in before.items() if now.get(key, -1) < value]


async def scrapes(url: str) -> list[tuple[Samples, Samples]]:
    """Many scrapes, one after the other. Fails where a counter is below that of the scrape before."""
    found = [await asyncio.to_thread(scrape, url)]
    for _ in range(LOOKS):
        found.append(await asyncio.to_thread(scrape, url))
        assert not fallen(found[-2][0], found[-1][0])
    return found


async def until_all_say(url: str, key: tuple[str, ...], wanted: float) -> Samples:
    """The counters, once every one of a row of scrapes says `wanted`."""
    before: Samples = {}
    async with asyncio.timeout(60):
        while True:
            scraped = [counters for counters, _ in await scrapes(url)]
            assert not fallen(before, scraped[0])
            before = scraped[-1]
            assert before.get(key, 0) <= wanted
            if all(counters.get(key) == wanted for counters in scraped):
                return before


async def replaced(served: Serving, gone: int, count: int) -> None:
    def are_all_there() -> bool:
        now = worker_pids(served)
        return gone not in now and len(now) >= count

    await until(are_all_there)


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 2, 3])
async def test_every_scrape_tells_of_all_requests_whichever_worker_it_reaches(
    settings: Settings, seed: Seed, tmp_path: Path, count: int
) -> None:
    with workers(settings, count, tmp_path / "log") as served:
        user = bearer(served.url, seed.sant.viewer)
        async with crowd(served.port, CONNECTIONS, user) as clients:
            for _ in range(ROUNDS):
                await clients.get("/v1/doctors")
                await scrapes(served.url)
        last = await until_all_say(served.url, DOCTORS, CONNECTIONS * ROUNDS)
        reads = [value for (name, *labels), value in last.items() if "reads_total" in name and "doctors" in labels]
        assert sum(reads) == CONNECTIONS * ROUNDS
        for counters, gauges in await scrapes(served.url):
            assert gauges["ticket_home_workers",] == count
            assert counters["ticket_home_workers_started_total",] == count
            # A sum: each of them weighs tens of megabytes.
            assert gauges["process_resident_memory_bytes",] > count * 30_000_000


@pytest.mark.long
@pytest.mark.parametrize("count", [2, 3])
async def test_what_a_killed_worker_counted_stays_counted(
    settings: Settings, seed: Seed, tmp_path: Path, count: int
) -> None:
    with workers(settings, count, tmp_path / "log") as served:
        user = bearer(served.url, seed.sant.viewer)
        for killed in (1, 2, 3):
            async with crowd(served.port, CONNECTIONS, user) as clients:
                await clients.get("/v1/doctors")
            before = await until_all_say(served.url, DOCTORS, CONNECTIONS * killed)
            victim = worker_pids(served)[0]
            os.kill(victim, signal.SIGKILL)
            await until(lambda victim=victim: not alive(victim))  # and its connections with it
            assert not fallen(before, scrape(served.url)[0])
            await replaced(served, victim, count)
            now = await until_all_say(served.url, ("ticket_home_workers_started_total",), count + killed)
            assert not fallen(before, now)
            assert now[DOCTORS] == CONNECTIONS * killed
            assert scrape(served.url)[1]["ticket_home_workers",] == count
