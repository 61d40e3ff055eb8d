"""One size of the network: what a hit, a miss, a poll and an entry cost."""

import asyncio
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter

import asyncpg
import httpx
from redis import Redis

from bench.load.closed import closed_loop
from bench.load.heads import HOST, Asked, in_turns, request
from bench.load.one import exchanges
from bench.scale.growth import grow, some
from bench.servers.cores import Cores, cpu_seconds, resident_bytes
from bench.servers.serving import Up, serving, ticket_home
from bench.servers.site import Site
from core.db.rollups import TO_DO, keep_up

WRITES = 20
"""A second."""
AT_ONCE = 2
"""Clinics whose rollups are filled at once."""
CONNECTIONS = 32
SETTLED = 2.5
"""Seconds after which PostgreSQL's counts are up to date."""
READ = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'cache_version'"
WRITE = "UPDATE ticket SET current_fpa = current_fpa + interval '1 hour', revision = revision + 1 WHERE id = $1"


@dataclass(frozen=True)
class Size:
    clinics: int
    miss_ms: float
    """Of the service's CPU, as `hit_us`."""
    hit_us: float
    written_us: float
    """The same while clinics are written to."""
    rate: float
    read_idle: float
    """Version rows that are read a second, while nobody writes."""
    read_per_write: float
    """Beside those that are read while nobody writes; PostgreSQL reads all of a small table for the sake of a row."""
    idle_ms: float
    """CPU that the worker takes in a second in which nobody asks."""
    database_idle_ms: float
    """The same of PostgreSQL."""
    redis_bytes: float
    """For an entry."""
    worker_mb: float
    versions: int


def measure(place: Site, cores: Cores, clinics: int, seconds: float) -> Size:
    url = place.embedded.database_url
    people = asyncio.run(grown(url, clinics))
    bearers = asyncio.run(place.sessions([one["username"] for one in people]))
    redis = Redis.from_url(place.embedded.redis_url)
    redis.flushall()
    with serving(cores, ticket_home, place.environment, place.folder / "log") as up:
        signing_in(up, bearers)
        read_idle, idle_ms, database_idle_ms = idle(url, up, place.postmaster())
        asked = [Asked(target, bearer) for bearer in bearers for target in ("/v1/dashboard", "/v1/surgeries")]
        memory, used = redis.info("memory")["used_memory"], cpu_seconds(up.process)
        list(exchanges(up.port, (request(each, HOST) for each in asked)))
        miss_ms = (cpu_seconds(up.process) - used) / len(asked) * 1000
        redis_bytes = (redis.info("memory")["used_memory"] - memory) / len(asked)
        hit_us, rate = hits(up, asked, seconds)
        before, began = asyncio.run(fetched(url)), perf_counter()
        with Writer(url, [one["ticket"] for one in people]) as writer:
            written_us, _ = hits(up, asked, 2 * seconds)
        time.sleep(SETTLED)
        read = asyncio.run(fetched(url)) - before - read_idle * (perf_counter() - began)
        versions = int(float(metric(up, "ticket_home_cache_versions")))
        worker_mb = resident_bytes(up.process) / 1e6
    return Size(
        clinics=clinics,
        miss_ms=miss_ms,
        hit_us=hit_us,
        written_us=written_us,
        rate=rate,
        read_idle=read_idle,
        read_per_write=max(0.0, read) / writer.done,
        idle_ms=idle_ms,
        database_idle_ms=database_idle_ms,
        redis_bytes=redis_bytes,
        worker_mb=worker_mb,
        versions=versions,
    )


async def grown(url: str, clinics: int) -> "list[asyncpg.Record]":
    connections = [await asyncpg.connect(url) for _ in range(AT_ONCE)]
    try:
        await grow(connections[0], clinics)
        # Or the server would do it, one by one, before it answers.
        waiting = [row[0] for row in await connections[0].fetch(TO_DO)]
        await asyncio.gather(*(keep_up(one, waiting[number::AT_ONCE]) for number, one in enumerate(connections)))
        return await some(connections[0])
    finally:
        for one in connections:
            await one.close()


async def fetched(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(READ))
    finally:
        await connection.close()


def signing_in(up: Up, bearers: Sequence[dict[str, str]]) -> None:
    for answer in exchanges(up.port, (request(Asked("/v1/auth/me", bearer), HOST) for bearer in bearers)):
        if answer.status != 200:
            raise SystemExit(answer.head.decode())


def idle(url: str, up: Up, database: int) -> tuple[float, float, float]:
    """While nobody asks, in a second: version rows read, CPU milliseconds of the worker, and of the `database`."""
    time.sleep(SETTLED)
    before, began = asyncio.run(fetched(url)), perf_counter()
    used, used_by_database = cpu_seconds(up.process), cpu_seconds(database)
    time.sleep(2 * SETTLED)
    took = perf_counter() - began
    own, others = cpu_seconds(up.process) - used, cpu_seconds(database) - used_by_database
    return (asyncio.run(fetched(url)) - before) / took, own / took * 1000, others / took * 1000


def hits(up: Up, asked: Sequence[Asked], seconds: float) -> tuple[float, float]:
    """(the service's CPU microseconds for an answer, answers a second)."""
    used = cpu_seconds(up.process)
    measured = closed_loop(
        up.port, in_turns(asked, CONNECTIONS), lambda answer: answer[:12] == b"HTTP/1.1 200", seconds=seconds, warm=0.3
    )
    if measured.errors:
        raise SystemExit(measured.unexpected.decode())
    answers = measured.answers + measured.warmed
    return (cpu_seconds(up.process) - used) / answers * 1e6, measured.answers / measured.seconds


def metric(up: Up, name: str) -> str:
    found = re.search(rf"^{name} (\S+)$", httpx.get(f"http://127.0.0.1:{up.port}/metrics").text, re.MULTILINE)
    if found is None:
        raise SystemExit(f"/metrics has no {name}")
    return found[1]


class Writer:
    """Changes a ticket of one clinic after the other, in a thread, while it is entered."""

    def __init__(self, url: str, tickets: Sequence[str]) -> None:
        self._url, self._tickets = url, tickets
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._write()))
        self.done = 0

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    async def _write(self) -> None:
        connection = await asyncpg.connect(self._url)
        for ticket in cycle(self._tickets):
            if self._over.is_set():
                break
            await connection.execute(WRITE, ticket)
            self.done += 1
            await asyncio.sleep(1 / WRITES)
        await connection.close()
