"""Clients that take their time over everything: others are served as before, and memory stays where it was."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.processes.services import Serving, worker_pids, workers
from tests.support.processes.state import cpu_seconds_of
from tests.support.signing_in import bearer

pytestmark = pytest.mark.long

HEAD = "{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {}\r\n"
BODY = "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
MEBIBYTE = 1024 * 1024


def half_a_head(bearer: str) -> str:
    return HEAD.format("GET", "/v1/doctors", bearer)


def half_a_body(bearer: str) -> str:
    return HEAD.format("POST", "/v1/tickets", bearer) + BODY + '{"patient": {"first_name": "' + "x" * 30_000


def answers_unread(bearer: str) -> str:
    """Twenty requests on one connection, whose answers of some 300 KiB each nobody reads."""
    return 20 * (HEAD.format("GET", "/openapi.json", bearer) + "\r\n")


@asynccontextmanager
async def slow(port: int, clients: int, request: str) -> AsyncIterator[Sequence[asyncio.StreamWriter]]:
    ends = [await asyncio.open_connection("127.0.0.1", port, limit=1) for _ in range(clients)]
    try:
        for _, writer in ends:
            writer.write(request.encode())
        yield [writer for _, writer in ends]
    finally:
        for _, writer in ends:
            writer.transport.abort()


def resident(served: Serving) -> int:
    """Bytes of the worker's memory."""
    pages = int(Path(f"/proc/{worker_pids(served)[0]}/statm").read_text().split()[1])
    return pages * 4096


async def at_rest(served: Serving) -> None:
    """Return once the workers compute no more than the few milliseconds a second that an idle one does: what fits into
    the kernel's buffers is made and sent."""
    before = None
    while before is None or cpu_seconds(served) - before > 0.02:
        before = cpu_seconds(served)
        # What a worker computes meanwhile is the question.
        await asyncio.sleep(0.3)


def cpu_seconds(served: Serving) -> float:
    return sum(cpu_seconds_of(pid) for pid in worker_pids(served))


async def read_as_before(client: httpx.AsyncClient) -> None:
    """A hundred ordinary reads, one after the other: none waits for the slow ones."""
    for _ in range(100):
        began = machine.now()
        assert (await client.get("/v1/doctors")).status_code == 200
        assert machine.now() - began < machine.bound(2.0, began)


@pytest.mark.parametrize(
    ("request_of", "clients"),
    [
        (half_a_head, 300),
        pytest.param(half_a_body, 300, marks=pytest.mark.long),
        pytest.param(answers_unread, 50, marks=pytest.mark.long),
    ],
)
async def test_slow_clients_cost_others_nothing(
    settings: Settings, seed: Seed, tmp_path: Path, request_of: Callable[[str], str], clients: int
) -> None:
    with workers(settings, 2, tmp_path / "log") as served:
        headers = bearer(served.url, seed.sant.clinical)
        async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=10) as client:
            await read_as_before(client)
            before = resident(served)
            async with slow(served.port, clients, request_of(headers["Authorization"])) as writers:
                await at_rest(served)
                await read_as_before(client)
                assert sum(not writer.is_closing() for writer in writers) == clients
                assert resident(served) - before < 100 * MEBIBYTE
            await read_as_before(client)
