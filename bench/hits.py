"""Answers from the cache, beside what else one could build: requests/s as a ratio to an empty FastAPI route.

    make bench      or, this part alone:      .venv/bin/python -m bench.hits [--seconds 3] [--rounds 3]

One worker, pinned to a core of its own; the load, Valkey and PostgreSQL have the others. Every round starts each server
anew, asks for everything once, and then measures; medians over the rounds. Ratios are what counts: times drift.
"""

import argparse
import asyncio
import gc
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import httpx
import uvloop

from bench import report
from bench.install import python_of_peers
from bench.load import Measured, closed_loop
from bench.serving import TICKET_HOME, Cores, peer, serving
from core.db.migrate import upgrade
from core.operations.demo.filling import fill_demo
from core.operations.embedded import EmbeddedServers, start_servers

CONNECTIONS = 32
PASSWORD = "a-bench-needs-one"
CLINICS, TICKETS = 20, 20_000
DASHBOARDS = ("/v1/dashboard", *(f"/v1/dashboard?date_from=2026-{month:02}-01" for month in range(1, 10)))
KEYS = tuple(f"/?key={key}" for key in range(CLINICS * len(DASHBOARDS)))
Asked = tuple[str, Mapping[str, str]]
"""A path, and headers."""


@dataclass(frozen=True)
class Case:
    name: str
    requests: Sequence[Asked]
    """In turns. Where answers could be shared among those who wait for the same, there are more than connections."""
    mark: bytes = b"HTTP/1.1 200"
    """In the head of an answer that is what the case is about."""
    conditional: bool = False


@dataclass(frozen=True)
class Server:
    command: tuple[str, ...]
    cases: Sequence[Case]
    environment: Mapping[str, str]


def peers(python: Path, environment: Mapping[str, str]) -> list[Server]:
    plain: list[Asked] = [("/", {})]
    keys: list[Asked] = [(path, {}) for path in KEYS]
    hit = b"x-fastapi-cache: HIT"
    # The session that bench/peers.py opens.
    signed_in: list[Asked] = [("/", {"Cookie": "session=0123456789abcdef0123456789abcdef"})]
    cases = {
        "raw": Case("raw ASGI, constant bytes", plain),
        "starlette": Case("Starlette route, constant bytes", plain),
        "empty": Case(report.EMPTY, plain),
        "fastapi_cache_memory": Case("fastapi-cache2 @cache, memory hit", plain, hit),
        "cashews_memory": Case("cashews, memory hit", keys),
        "fastapi_cache_redis": Case(report.CACHE_REDIS, plain, hit),
        "cashews_redis": Case("cashews, Redis hit", keys),
        "assembled": Case(report.ASSEMBLED, signed_in, hit),
    }
    return [Server(peer(python, name), [case], environment) for name, case in cases.items()]


def ours(bearers: Sequence[str], environment: Mapping[str, str]) -> list[Server]:
    def by_all(*paths: str) -> list[Asked]:
        return [(path, {"Authorization": bearer}) for path in paths for bearer in bearers]

    dashboards = by_all(*DASHBOARDS)
    warm = [
        Case(report.HIT, dashboards, b"detail=memory"),
        Case(report.NOT_MODIFIED, dashboards, b"HTTP/1.1 304", conditional=True),
        Case("ours: catalog, hit in memory", by_all("/v1/surgeries"), b"detail=memory"),
    ]
    # To a process whose memory keeps no entry, every request is the first for its key. Sessions it does hold.
    cold = Case(report.REDIS_HIT, dashboards, b"detail=redis")
    return [
        Server(TICKET_HOME, warm, environment),
        Server(TICKET_HOME, [cold], {**environment, "CACHE_MEMORY_BYTES": "0"}),
    ]


def prepared(port: int, case: Case) -> tuple[list[bytes], int]:
    """Ask for everything twice, so that it is stored; returns the requests' bytes, and the median size of a body."""
    requests, sizes = [], []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Accept-Encoding": "identity"}) as client:
        for path, headers in case.requests:
            client.get(path, headers=headers).raise_for_status()
            answer = client.get(path, headers=headers)
            sizes.append(len(answer.content))
            sent = {"Host": "127.0.0.1", **headers}
            if case.conditional:
                sent["If-None-Match"] = answer.headers["ETag"]
            lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
            requests.append("\r\n".join([*lines, "", ""]).encode())
    return requests, 0 if case.conditional else round(median(sizes))


def measure(cores: Cores, servers: Sequence[Server], log: Path, seconds: float) -> dict[str, report.Row]:
    """One round."""
    rows = {}
    for server in servers:
        with serving(cores, server.command, server.environment, log) as port:
            for case in server.cases:
                requests, size = prepared(port, case)
                load = closed_loop(port, requests, case.mark, connections=CONNECTIONS, seconds=seconds)
                gc.collect()
                gc.disable()  # a collection here would show in the server's p99
                measured: Measured = uvloop.run(load)
                gc.enable()
                if measured.meant < 0.98:
                    print(f"{case.name}: only {measured.meant:.1%} of a round's answers were what it is about")
                rows[case.name] = report.Row(case.name, measured.rate, measured.p50, measured.p99, size)
    return rows


def sign_in(port: int, usernames: Sequence[str]) -> tuple[list[str], bytes]:
    """Bearer headers; and a dashboard, for the peers to answer with."""
    bearers = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        for username in usernames:
            login = {"username": username, "password": PASSWORD, "client": "mobile"}
            token = client.post("/v1/auth/login", json=login).raise_for_status().json()["token"]
            bearers.append(f"Bearer {token}")
        dashboard = client.get(DASHBOARDS[0], headers={"Authorization": bearers[0]}).raise_for_status()
    return bearers, dashboard.content


async def administrators(database_url: str) -> list[str]:
    """One of each demo clinic, which are made here."""
    await fill_demo(database_url, clinics=CLINICS, tickets=TICKETS, seed=1, password=PASSWORD, progress=False)
    connection = await asyncpg.connect(database_url)
    try:
        return [f"admin_{row['prefix'].lower()}" for row in await connection.fetch("SELECT prefix FROM clinic")]
    finally:
        await connection.close()


def run(cores: Cores, folder: Path, python: Path, embedded: EmbeddedServers, asked: argparse.Namespace) -> None:
    upgrade(embedded.database_url)
    usernames = asyncio.run(administrators(embedded.database_url))
    log, body = folder / "log", folder / "body"
    environment = {
        "DATABASE_URL": embedded.database_url,
        "REDIS_URL": embedded.redis_url,
        "SECRET_KEYS": "a-secret-that-only-a-bench-has-42",
        "TICKET_HOME_DATA_DIR": str(folder / "unused"),
        "LOG_FORMAT": "json",
    }
    with serving(cores, TICKET_HOME, environment, log) as port:
        bearers, dashboard = sign_in(port, usernames)
    body.write_bytes(dashboard)
    servers = [
        *peers(python, {"BENCH_BODY": str(body), "BENCH_REDIS": embedded.redis_url}),
        *ours(bearers, environment),
    ]
    rounds = []
    for number in range(asked.rounds):
        print(f"round {number + 1} of {asked.rounds} …", flush=True)
        rounds.append(measure(cores, servers, log, asked.seconds))
    how = f"{CONNECTIONS} connections, medians of {asked.rounds} rounds of {asked.seconds:g} s; {cores}."
    report.show([report.median_of([one[name] for one in rounds]) for name in rounds[0]], how)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    python = python_of_peers()
    cores = Cores()
    with tempfile.TemporaryDirectory() as folder:
        embedded = start_servers(Path(folder) / "data", durable=False)
        try:
            run(cores, Path(folder), python, embedded, asked)
        finally:
            embedded.stop()


if __name__ == "__main__":
    main()
