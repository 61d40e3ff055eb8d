"""What the cache costs who writes (docs/design/performance.md, target 7).

    .venv/bin/python -m bench.writes [--seconds 3] [--rounds 3]

Tickets made through HTTP, 8 connections over 20 clinics, with the version triggers and without them, in turns. Each
commit waits for the disk. Commits without HTTP are bench/commits.py's.
"""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median

import asyncpg

from bench.load.closed import closed_loop
from bench.load.heads import HOST, Asked, request
from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from bench.servers.serving import Up, python_module, serving
from bench.servers.site import Site, site

CONNECTIONS = 8
CLINICS = 20
STAMPING = """
SELECT tgrelid::regclass::text AS "table", tgname AS name FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE p.proname LIKE 'cache%' AND NOT tgisinternal
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


class Creations:
    """Tickets of new patients, one clinic after the other, through HTTP."""

    def __init__(self, up: Up, bearers: Sequence[dict[str, str]], surgeries: Sequence[int]) -> None:
        self._up, self._bearers, self._surgeries = up, bearers, surgeries
        self._numbers = count()

    def rate(self, seconds: float) -> float:
        made = [self._requests()] * CONNECTIONS
        measured = closed_loop(
            self._up.port, made, lambda answer: answer[:12] == b"HTTP/1.1 201", seconds=seconds, warm=0.5
        )
        if measured.errors:
            raise SystemExit(measured.unexpected.decode())
        return measured.answers / measured.seconds

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


def through_http(place: Site, asked: argparse.Namespace) -> tuple[float, float]:
    """Tickets a second with triggers, and without."""
    url = place.embedded.database_url
    surgeries = [row["id"] for row in asyncio.run(found(url, SURGERIES))]
    rates: dict[bool, list[float]] = {True: [], False: []}
    with serving(None, lambda port: python_module(*BLIND, str(port)), place.environment, place.folder / "log") as up:
        creations = Creations(up, place.sessions_of_all(), surgeries)
        creations.rate(0.5)
        for _ in range(asked.rounds):
            for on in rates:
                asyncio.run(set_triggers(url, on=on))
                rates[on].append(creations.rate(asked.seconds))
    asyncio.run(set_triggers(url, on=True))
    return median(rates[True]), median(rates[False])


def part(asked: argparse.Namespace) -> Part:
    with site(CLINICS, 20_000, durable=True) as place:
        with_triggers, without = through_http(place, asked)
    rows = [
        (f"tickets through HTTP, {CONNECTIONS} connections", f"{with_triggers:,.0f}", ""),
        ("the same without version triggers", f"{without:,.0f}", f"{with_triggers / without:.2f}"),
    ]
    return Part(
        name="writes",
        title="Writes",
        how=f"{CLINICS} clinics, medians of {asked.rounds} rounds of {asked.seconds:g} s, nothing pinned, fsync on.",
        tables=[Table("", ("", "a second", "ratio"), rows)],
        targets=[
            Target(7, "tickets through HTTP, of those without version triggers", with_triggers / without, 0.8),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    finish(part(parser.parse_args()))


if __name__ == "__main__":
    main()
