"""What the cache costs who writes (docs/design/performance.md, target 7).

    .venv/bin/python -m bench.writes [--seconds 3] [--rounds 3]

Tickets made through HTTP, 8 connections over 20 clinics: as it is; where triggers make no version; and with those
triggers disabled, which keep the dashboards' counts, too. In turns. Each commit waits for the disk. Commits without
HTTP are bench/commits.py's.
"""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median

import asyncpg

from bench.load.closed import closed_loop
from bench.load.heads import HOST, Asked, request
from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from bench.servers.cores import cpu_seconds
from bench.servers.serving import Up, python_module, serving
from bench.servers.site import Site, site

CONNECTIONS = 8
CLINICS = 20
STAMPING = """
SELECT tgrelid::regclass::text AS "table", tgname AS name FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE p.proname LIKE 'cache%' AND NOT tgisinternal
"""
REMEMBER = "SELECT pg_get_functiondef('cache_remember(text[])'::regprocedure) AS made"
# What the triggers call to have a version made at COMMIT. Without it they only keep the dashboards' counts.
FORGET = """
CREATE OR REPLACE FUNCTION cache_remember(keys text[]) RETURNS void LANGUAGE plpgsql AS 'BEGIN END'
"""
SURGERIES = "SELECT min(id) AS id FROM surgery WHERE is_active GROUP BY clinic_id ORDER BY clinic_id"
# A service to which missing triggers are nothing: ours would stop to trust its cache, and read every session anew.
BLIND = ("tests.faults.chaos.process", "restores unseen", "0")


async def set_triggers(url: str, *, on: bool) -> None:
    connection = await asyncpg.connect(url)
    for row in await connection.fetch(STAMPING):
        state = "ENABLE ALWAYS" if on else "DISABLE"
        await connection.execute(f'ALTER TABLE {row["table"]} {state} TRIGGER "{row["name"]}"')
    await connection.close()


async def executed(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


@dataclass(frozen=True)
class Rate:
    """CPU is milliseconds for a ticket."""

    tickets: float
    """A second."""
    service: float
    database: float


class Creations:
    """Tickets of new patients, one clinic after the other, through HTTP."""

    def __init__(self, up: Up, postmaster: int, bearers: Sequence[dict[str, str]], surgeries: Sequence[int]) -> None:
        self._up, self._bearers, self._surgeries = up, bearers, surgeries
        self._processes = (up.process, postmaster)
        self._numbers = count()

    def rate(self, seconds: float) -> Rate:
        made = [self._requests()] * CONNECTIONS
        before = [cpu_seconds(process) for process in self._processes]
        measured = closed_loop(
            self._up.port, made, lambda answer: answer[:12] == b"HTTP/1.1 201", seconds=seconds, warm=0.5
        )
        if measured.errors:
            raise SystemExit(measured.unexpected.decode())
        used = [cpu_seconds(process) - was for process, was in zip(self._processes, before, strict=True)]
        service, database = (1000 * one / (measured.answers + measured.warmed) for one in used)
        return Rate(measured.answers / measured.seconds, service, database)

    def _requests(self) -> Iterator[bytes]:
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:00}"
        for number in self._numbers:
            at = number % len(self._bearers)
            document = {"document_type": "passport", "document": f"BENCH{number}"}
            patient = document | {"first_name": "Ana", "last_name": "Soto"}
            body = {"patient": patient, "surgery_id": self._surgeries[at], "surgery_at": tomorrow}
            yield request(Asked("/v1/tickets", self._bearers[at], body), HOST)


async def found(url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


def through_http(place: Site, asked: argparse.Namespace) -> Iterator[tuple[Rate, Rate, Rate]]:
    """Each round: as it is; where no version is made; and where counts are not kept either."""
    url = place.embedded.database_url
    surgeries = [row["id"] for row in asyncio.run(found(url, SURGERIES))]
    [remember] = asyncio.run(found(url, REMEMBER))
    with serving(None, lambda port: python_module(*BLIND, str(port)), place.environment, place.folder / "log") as up:
        creations = Creations(up, place.postmaster(), place.sessions_of_all(), surgeries)
        creations.rate(0.5)
        for _ in range(asked.rounds):
            stamped = creations.rate(asked.seconds)
            asyncio.run(executed(url, FORGET))
            unstamped = creations.rate(asked.seconds)
            asyncio.run(executed(url, remember["made"]))
            asyncio.run(set_triggers(url, on=False))
            uncounted = creations.rate(asked.seconds)
            asyncio.run(set_triggers(url, on=True))
            yield stamped, unstamped, uncounted


def part(asked: argparse.Namespace) -> Part:
    with site(CLINICS, 20_000, durable=True) as place:
        rounds = list(through_http(place, asked))
    rates = [[median(figure) for figure in zip(*map(astuple, each), strict=True)] for each in zip(*rounds, strict=True)]
    names = (
        f"tickets through HTTP, {CONNECTIONS} connections",
        "the same, no version is made",
        "nor are the dashboards' counts kept",
    )
    stamped, unstamped, uncounted = (rate for rate, _, _ in rates)
    rows = [
        (name, f"{rate:,.0f}", f"{stamped / rate:.2f}", f"{service:.2f}", f"{database:.2f}")
        for name, (rate, service, database) in zip(names, rates, strict=True)
    ]
    return Part(
        name="writes",
        title="Writes",
        how=f"{CLINICS} clinics, medians of {asked.rounds} rounds of {asked.seconds:g} s, nothing pinned, fsync on.",
        tables=[Table("", ("", "a second", "ratio", "CPU ms, the service's", "PostgreSQL's"), rows)],
        targets=[
            Target(7, "tickets through HTTP, of those where no version is made", stamped / unstamped, 0.8),
            Target(7, "the same, of those where counts are not kept either", stamped / uncounted, None),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    finish(part(parser.parse_args()))


if __name__ == "__main__":
    main()
