"""Streams of events: what one costs a worker, and how soon a change has reached all (target 8 of performance.md).

    .venv/bin/python -m bench.events [--streams 5000] [--changes 20]

One worker, and as many clients on raw sockets in this process; the first tenth of them takes nothing any more once it
has been told all versions. Each change is of the clinics, which all clients are told.
"""

import argparse
import asyncio
import resource
import time
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import cast

import asyncpg
import httpx

from bench.load.heads import HOST, Asked, request
from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from bench.servers.cores import resident_bytes
from bench.servers.serving import Up, serving, ticket_home
from bench.servers.site import Site, site

MOST = 200.0
"""MB over the idle process."""
WITHIN = 1.0
"""Seconds until a change has reached all clients."""
OF_A_SESSION = 10
TOGETHER = 100
"""Clients that connect at once."""
DEAF = 0.1
SETTLED = 2.0
QUIET = 5.0
"""Seconds for which hits are measured."""
PATIENCE = 60.0
LOOK = 0.005
CHANGE = "UPDATE urgency_threshold SET green_hours = 9 - green_hours % 2 WHERE clinic_id IS NULL"
"""Of what is of the whole network: all clients are told."""


class Client(asyncio.Protocol):
    """Counts what comes; keeps none of it."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self.begun = asyncio.get_running_loop().create_future()
        self.changes = 0
        self.told_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        if not self.begun.done():
            if data.startswith(b"HTTP/1.1 200 "):
                self.begun.set_result(None)
            else:
                self.begun.set_exception(RuntimeError(data.decode()))
        if told := data.count(b"event: change"):
            self.changes += told
            self.told_at = time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("streams", 5000), ("changes", 20)):
        parser.add_argument(f"--{name}", type=int, default=value)
    asked = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with site(20, 200) as place, serving(None, ticket_home, place.environment, place.folder / "log") as up:
        finish(asyncio.run(measured(asked, place, up)))


async def measured(asked: argparse.Namespace, place: Site, up: Up) -> Part:
    each = -(-asked.streams // (len(place.prefixes) * OF_A_SESSION))
    sessions = await place.sessions([f"admin_{prefix}" for prefix in place.prefixes] * each)
    heads = [request(Asked("/v1/events", session), HOST) for session in sessions * OF_A_SESSION][: asked.streams]
    for client in await connected(up.port, heads[:1]):  # what is made once is made
        client.transport.close()
    idle = await held(up)
    clients = await connected(up.port, heads)
    begun = await held(up)
    deaf = int(len(clients) * DEAF)
    for client in clients[:deaf]:
        client.transport.pause_reading()
    database = await asyncpg.connect(place.embedded.database_url)
    spans = [await change(database, clients[deaf:]) for _ in range(asked.changes)]
    alone = await hits(up, sessions[0], seconds=QUIET)
    asking = asyncio.create_task(hits(up, sessions[0], seconds=QUIET))
    while not asking.done():
        await change(database, clients[deaf:])
    await database.close()
    return told(asked, idle, begun, await held(up), spans, alone, await asking)


async def connected(port: int, heads: Sequence[bytes]) -> list[Client]:
    """A client for each head, once its stream has begun. Raises RuntimeError with the answer where it is none."""
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for at in range(0, len(heads), TOGETHER):
        some = [Client(head) for head in heads[at : at + TOGETHER]]
        await asyncio.gather(*(loop.create_connection(partial(_same, one), "127.0.0.1", port) for one in some))
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(client.begun for client in some))
        clients += some
    return clients


def _same(client: Client) -> Client:
    return client


async def held(up: Up) -> float:
    """MB, once what is done in the background is done."""
    await asyncio.sleep(SETTLED)
    return resident_bytes(up.process) / 1e6


async def change(database: "asyncpg.Connection[asyncpg.Record]", clients: Sequence[Client]) -> float:
    """Seconds from before the commit until the last of the clients was told."""
    wanted = [client.changes + 1 for client in clients]
    began = time.monotonic()
    await database.execute(CHANGE)
    async with asyncio.timeout(PATIENCE):
        for client, least in zip(clients, wanted, strict=True):
            while client.changes < least:  # noqa: ASYNC110  an event for each of them would be what is measured
                await asyncio.sleep(LOOK)
    return max(client.told_at for client in clients) - began


async def hits(up: Up, session: Mapping[str, str], *, seconds: float) -> list[float]:
    """Milliseconds of each of a reader's hits, sorted: one after the other for so long, with a pause between two."""
    taken: list[float] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{up.port}", headers=session) as client:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            (await client.get("/v1/surgeries")).raise_for_status()
            taken.append((time.monotonic() - began) * 1000)
            await asyncio.sleep(LOOK)
    return sorted(taken)


def told(
    asked: argparse.Namespace,
    idle: float,
    begun: float,
    after: float,
    spans: Sequence[float],
    alone: Sequence[float],
    beside: Sequence[float],
) -> Part:
    per_client = (after - idle) * 1000 / asked.streams
    memory = [
        ("idle", f"{idle:.1f}", ""),
        (f"{asked.streams:,} streams", f"{begun:.1f}", f"{begun - idle:.1f}"),
        ("after the changes", f"{after:.1f}", f"{after - idle:.1f}"),
    ]
    times = [
        (
            "a change, from before its commit until all were told",
            f"{median(spans) * 1000:.0f}",
            f"{max(spans) * 1000:.0f}",
        ),
        ("a hit, while nothing changes", f"{median(alone):.1f}", f"{alone[len(alone) * 99 // 100]:.1f}"),
        (
            "a hit, while all are told one change after the other",
            f"{median(beside):.1f}",
            f"{beside[len(beside) * 99 // 100]:.1f}",
        ),
    ]
    return Part(
        name="events",
        title="Streams of events",
        how=f"One worker, {asked.streams:,} clients in one process beside it, a tenth of which takes nothing;"
        f" {asked.changes} changes. A stream takes {per_client:.1f} KB.",
        tables=[
            Table("", ("", "MB", "over idle"), memory),
            Table("", ("", "median ms", "p99 ms (of changes: the longest)"), times),
        ],
        targets=[
            Target(8, f"{asked.streams:,} event streams: MB over the idle process", after - idle, MOST, at_least=False),
            Target(8, "seconds until the last of them knew a change, the longest", max(spans), WITHIN, at_least=False),
        ],
    )


if __name__ == "__main__":
    main()
