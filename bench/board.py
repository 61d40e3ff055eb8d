"""The nursing board, the list of tickets and their searches: a clinic with 10,000 active and 1,000,000 past tickets
beside one with 100 (docs/design/performance.md, target 6).

    .venv/bin/python -m bench.board [--history 1000000] [--rounds 20]

Through HTTP, one request at a time, the clinics and all reads of a part in turns; the server has one core and
everything else the other. Both wards fill their first page, and in both somebody has the rare name. A deep page of the
larger clinic has the smaller one's first page beside it. Ratios are what counts: times drift.
"""

import argparse
import asyncio
import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter, sleep, time
from urllib.parse import urlencode

import asyncpg
import httpx

from bench.cold_data import COMMON, RARE, make_clinic, without_search
from bench.load.heads import HOST, Asked, request
from bench.load.one import Answer, exchanges
from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from bench.servers.cores import Cores
from bench.servers.serving import serving, ticket_home
from bench.servers.site import Site, site
from core.db.rollups import fill

TARGET = 3.0
SMALL, LARGE = "SMAL", "LARG"
ACTIVE = {SMALL: 100, LARGE: 10_000}
WARM = 8
"""Requests until PostgreSQL has decided on a plan."""
BOARD, LIST, CSV = "/v1/nursing-board", "/v1/tickets", "/v1/exports/tickets.csv"
Query = Mapping[str, str | int]


def day(days_ago: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days_ago):%Y-%m-%d}"


# A part of target 6 → what is asked for → its query.
READS: dict[str, dict[str, Query]] = {
    BOARD: {
        "first page": {},
        "of 200": {"limit": 200},
        "all views": {"view": "all"},
        "discharged": {"view": "discharged"},
        "by FPA": {"sort": "current_fpa"},
        "by bed": {"sort": "bed"},
        "by doctor": {"sort": "doctor"},
        "a location": {"location": "Piso 3"},
        "created this week": {"date_from": day(7)},
    },
    f"{BOARD}, searched": {
        "a rare name": {"q": RARE},
        "a common name": {"q": COMMON},
        "two words": {"q": f"{COMMON} silva"},
        "two letters": {"q": "an"},
        "a place": {"q": "piso 3"},
        "nobody": {"q": "nobody at all"},
    },
    LIST: {
        "newest first": {},
        "oldest first": {"sort": "created_at"},
        "by FPA": {"sort": "current_fpa"},
        "by patient": {"sort": "patient"},
        "by surgery": {"sort": "surgery"},
        "active": {"status": "active"},
        "active, oldest first": {"status": "active", "sort": "created_at"},
        "a long stay": {"figure": "long_stay"},
        "overdue, oldest first": {"figure": "overdue", "sort": "created_at"},
        "critical": {"state": "critical"},
        "annulled": {"status": "annulled"},
        "of a month, five years ago": {"date_from": day(1850), "date_to": day(1820)},
        "of a month, by patient": {"date_from": day(30), "sort": "patient"},
    },
    f"{LIST}, searched": {
        "a rare name": {"q": RARE},
        "a rare name, by patient": {"q": RARE, "sort": "patient"},
        "a common name": {"q": COMMON},
        "a common name, by patient": {"q": COMMON, "sort": "patient"},
        "a common name, active": {"q": COMMON, "status": "active"},
        "two words": {"q": f"{COMMON} silva"},
        "a common and a rare one": {"q": f"{COMMON} {RARE}"},
        "a document": {"q": "10.000.050-0"},
        "an episode": {"q": "E-77"},
        "two letters": {"q": "an"},
        "nobody": {"q": "nobody at all"},
        "two letters of nobody": {"q": "xq"},
        "a letter of nobody": {"q": "q"},
        "of another alphabet": {"q": "ж"},
        "brackets": {"q": "(((("},
    },
}
DEEP: dict[str, dict[str, tuple[Query, int]]] = {
    BOARD: {"page 40": ({}, 40), "page 4 of a common name": ({"q": COMMON}, 4)},
    LIST: {"page 200": ({}, 200), "page 200 by patient": ({"sort": "patient"}, 200)},
}
"""A page of 50 in the larger clinic, after so many of 200, or fewer where there are no more."""


async def filled(url: str, history: int) -> None:
    connection = await asyncpg.connect(url)
    searched = await without_search(connection)
    await connection.execute("SET maintenance_work_mem = '512MB'")
    for prefix, active in ACTIVE.items():
        tickets = active + (history if prefix == LARGE else 0)
        clinic_id = await make_clinic(connection, prefix, tickets, active=active, patients=True)
        await connection.execute(
            "INSERT INTO app_user (username, email, password_hash, role, clinic_id) VALUES ($1, $1, '', 'admin', $2)",
            *(prefix, clinic_id),
        )
    for statement in searched:
        await connection.execute(statement, timeout=None)
    await connection.execute("SELECT cache_new_timeline(true)")
    for row in await connection.fetch("SELECT id FROM clinic"):
        await fill(connection, row["id"])
    await connection.execute("VACUUM ANALYZE", timeout=None)
    await connection.close()


Row = tuple[str, float, float]


class Clinics:
    """Who asks in each of the two."""

    def __init__(self, port: int, bearers: Mapping[str, Mapping[str, str]]) -> None:
        self._port, self._bearers = port, bearers

    def ask(self, prefix: str, path: str, query: Query) -> tuple[float, Answer]:
        """Milliseconds, and the answer. A 503 counts for the two seconds after which it came."""
        target = f"{path}?{urlencode(query)}"
        started = perf_counter()
        answer = next(exchanges(self._port, [request(Asked(target, self._bearers[prefix]), HOST)]))
        took = (perf_counter() - started) * 1000
        if answer.status not in (200, 503):
            raise SystemExit(f"{target}: {answer.head.decode()}")
        return took, answer

    def compared(self, path: str, reads: Mapping[str, tuple[Query, Query]], rounds: int) -> list[Row]:
        """p50 of each read in the smaller and in the larger one; both queries by the read's name.

        A round asks for each once, and the next begins in another second: who asks for the same board within one is
        given the same answer.
        """
        took: dict[tuple[str, str], list[float]] = {(name, prefix): [] for name in reads for prefix in ACTIVE}
        for number in range(WARM + rounds):
            second = int(time())
            for name, queries in reads.items():
                for prefix, query in zip(ACTIVE, queries, strict=True):
                    ms, _ = self.ask(prefix, path, query)
                    if number >= WARM:
                        took[name, prefix].append(ms)
            sleep(max(0.0, second + 1 - time()))
        return [(name, statistics.median(took[name, SMALL]), statistics.median(took[name, LARGE])) for name in reads]

    def cursor(self, path: str, query: Query, pages: int) -> Query:
        """`query` after that many pages of 200."""
        turned = dict(query)
        for _ in range(pages):
            _, answer = self.ask(LARGE, path, turned | {"limit": 200})
            following = json.loads(answer.body)["next"]
            if following is None:
                break
            turned["cursor"] = following
        return turned

    def exported(self, prefix: str, query: Query) -> float:
        """Milliseconds to the first byte of a file that is read to its end."""
        started, first = perf_counter(), 0.0
        url = f"http://127.0.0.1:{self._port}{CSV}"
        with httpx.stream("GET", url, params=dict(query), headers=dict(self._bearers[prefix]), timeout=60) as answer:
            answer.raise_for_status()
            for _ in answer.iter_raw():
                first = first or perf_counter() - started
        return first * 1000


def measured(clinics: Clinics, rounds: int) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for part, reads in READS.items():
        path = part.partition(",")[0]
        asked = {name: (query, query) for name, query in reads.items()}
        if part in DEEP:
            asked |= {name: (query, clinics.cursor(path, query, pages)) for name, (query, pages) in DEEP[part].items()}
        found[part] = clinics.compared(path, asked, rounds)
    for name, query in {"active tickets": {"status": "active"}, "of a month": {"date_from": day(30)}}.items():
        small, large = (statistics.median(clinics.exported(prefix, query) for _ in range(3)) for prefix in ACTIVE)
        found.setdefault(f"{CSV}, to the first byte", []).append((name, small, large))
    return found


def told(found: Mapping[str, Sequence[Row]], history: int, rounds: int, cores: Cores) -> Part:
    tables, targets = [], []
    for part, rows in found.items():
        ratios = [large / small for _, small, large in rows]
        cells = [
            (name, f"{small:.1f}", f"{large:.1f}", f"{ratio:.2f}")
            for (name, small, large), ratio in zip(rows, ratios, strict=True)
        ]
        tables.append(Table(part, ("ms", "100 active", "10,000 active", "ratio"), cells))
        worst = max(range(len(rows)), key=ratios.__getitem__)
        text = f"{part}, the slowest of {len(rows)}: {rows[worst][0]}, of that with 100"
        targets.append(Target(6, text, ratios[worst], TARGET, at_least=False))
    first = found[BOARD][0]
    targets.insert(0, Target(6, f"{BOARD}, first page, of that with 100", first[2] / first[1], TARGET, at_least=False))
    return Part(
        name="board",
        title="The nursing board, lists and searches",
        how=f"p50 of {rounds}, one request at a time; {cores}. The larger clinic has {history:,} past tickets, too.",
        tables=tables,
        targets=targets,
    )


def place_of(place: Site) -> dict[str, dict[str, str]]:
    return dict(zip(ACTIVE, asyncio.run(place.sessions(list(ACTIVE))), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=24)
    asked = parser.parse_args()
    cores = Cores()
    with site(0, 0) as place:
        asyncio.run(filled(place.embedded.database_url, asked.history))
        with serving(cores, ticket_home, place.environment, place.folder / "log") as up:
            found = measured(Clinics(up.port, place_of(place)), asked.rounds)
    finish(told(found, asked.history, asked.rounds, cores))


if __name__ == "__main__":
    main()
