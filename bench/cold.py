"""A dashboard that nobody has computed yet, with 1,000,000 tickets in the clinic beside 10,000 (target 3).

    .venv/bin/python -m bench.cold [--tickets 1000000] [--rounds 15] [--plans]

On an embedded PostgreSQL of its own, over one connection, in turns: 15 separate queries, the statement with rollups in
doubt, which counts every ticket, and with rollups. Then what the triggers add to who writes tickets by SQL, with the
versions' alone and with the rollups'. `--plans` prints EXPLAIN ANALYZE of the statement in both clinics.
"""

import argparse
import asyncio
import re
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import asyncpg
from pydantic import SecretStr
from sqlalchemy import text

from bench.cold_data import make_clinic
from bench.dashboard_sql import SEPARATE, Case
from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from core.cache.versions.map import VersionMap
from core.dashboard.stats import STATS, Filters, read_stats
from core.db.connections.engine import dispose, serving_engine
from core.db.rollups import fill
from core.db.schema.migrate import upgrade
from core.db.schema.stamping import Rule, trigger_function
from core.db.transaction import Database, ReadSession
from core.operations.doctor.tables.migrations import made
from core.operations.embedded import start_servers
from core.settings import Settings

Figures = dict[tuple[str, int], float]
APART = f"{len(SEPARATE)} separate queries"
UNFILTERED = "no filter, from rollups"
SMALL = 10_000
WARM = 5
WRITES = 300
FIGURES = (
    "id, clinic_id, status, current_fpa, discharged_at, discharge_assumed, surgery_id, doctor_id, created_at,"
    " ready_at, admission_at, surgery_base_hours, long_stay_at"
)
VERSIONS_ALONE = {
    "ticket": (Rule("tickets"), Rule("figures", f"{FIGURES}, surgery_name, created_by")),
    "fpa_modification": (Rule("tickets"), Rule("figures")),
}
CREATE = """
INSERT INTO ticket (
    id, clinic_id, year, number, surgery_id, surgery_name, surgery_base_hours, surgery_at, admission_at, system_fpa,
    initial_fpa, current_fpa, overnight_stays, initial_overnight_stays, imported, created_by
) SELECT 'W-' || n, $1::integer, 2027, n, (SELECT min(id) FROM surgery WHERE clinic_id = $1), 'Surgery', 24,
    now(), now(), now(), now(), now(), 1, 1, true, 'bench' FROM generate_series($2::integer, $3::integer) AS n
"""
DISCHARGE = "UPDATE ticket SET status = 'discharged', discharged_at = now() WHERE id = 'W-' || $1::integer"
BED = "UPDATE ticket SET bed_number = '7' WHERE id = 'W-' || $1::integer"
MODIFY = """
INSERT INTO fpa_modification (clinic_id, ticket_id, previous_fpa, new_fpa, reason, modified_by)
SELECT clinic_id, id, now(), now(), 'Reason', 'bench' FROM ticket WHERE id = 'W-' || $1::integer
"""


CLINIC = text("SELECT timezone, (SELECT min(id) + 9 FROM surgery WHERE clinic_id = :id) FROM clinic WHERE id = :id")
ONE_BY_ONE = {"create a ticket": CREATE, "change a bed": BED, "modify an FPA": MODIFY, "discharge": DISCHARGE}


class Measured(NamedTuple):
    clinic_id: int
    timezone: str


async def each(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: str, arguments: Sequence[tuple[int, ...]]
) -> float:
    """p50 of a transaction, milliseconds."""
    left = iter(arguments)
    return await p50(lambda: connection.execute(statement, *next(left)), len(arguments))


async def p50(run: Callable[[], Awaitable[Any]], rounds: int) -> float:
    took = []
    for _ in range(rounds):
        started = perf_counter()
        await run()
        took.append((perf_counter() - started) * 1000)
    return statistics.median(took)


async def reads(url: str, clinics: dict[int, int], rounds: int) -> Figures:
    """What a miss costs in each clinic (id → tickets): (what, clinic) → p50, milliseconds."""
    engine = serving_engine(Settings(database_url=SecretStr(url)))

    async def work(session: ReadSession) -> Figures:
        now: datetime = (await session.execute(text("SELECT now()"))).scalar_one()
        found: Figures = {}
        for clinic_id in (*clinics, *clinics) * WARM:
            # Until the connection has made up its mind about a plan.
            await read_stats(session, [clinic_id], now, Filters(), is_whole=True)
        for clinic_id in clinics:
            zone, surgery = (await session.execute(CLINIC, {"id": clinic_id})).one()
            case = Case(Measured(clinic_id, zone), [clinic_id], now)
            asked = {
                "no filter": Filters(),
                "this month": Filters(date_from=now.date().replace(day=1)),
                "eight years": Filters(date_from=date(now.year - 8, 2, 3)),
                "a surgery": Filters(surgery_id=surgery),
                "a surgery, eight years": Filters(date_from=date(now.year - 8, 2, 3), surgery_id=surgery),
            }
            found[APART, clinic_id] = await p50(partial(case.separate, session), 5)
            for name, filters in asked.items():
                rolled = (await read_stats(session, [clinic_id], now, filters, is_whole=True))[clinic_id]
                counted = (await read_stats(session, [clinic_id], now, filters, is_whole=False))[clinic_id]
                if not rolled.is_rolled or {**rolled._mapping, "is_rolled": False} != dict(counted._mapping):
                    raise SystemExit(f"{name}: {rolled} from rollups, {counted} from tickets")
                for how, is_whole, times in (("from tickets", False, 3), ("from rollups", True, rounds)):
                    found[f"{name}, {how}", clinic_id] = await p50(
                        partial(read_stats, session, [clinic_id], now, filters, is_whole=is_whole), times
                    )
        return found

    try:
        return await Database(engine, VersionMap()).snapshot(work, budget=3600)
    finally:
        await dispose(engine)


async def writes(connection: "asyncpg.Connection[asyncpg.Record]", clinic_id: int) -> Table:
    """What writes cost with the versions' triggers alone, and with the rollups'."""
    functions = {
        "versions": {f"cache_stamp_{table}": trigger_function(table, rules) for table, rules in VERSIONS_ALONE.items()},
        "rollups": {name: made().functions[name] for name in ("cache_stamp_ticket", "cache_stamp_fpa_modification")},
    }
    took: dict[str, dict[str, list[float]]] = {kind: {} for kind in functions}
    number = 0
    for _ in range(4):
        for kind, statements in functions.items():
            for statement in statements.values():
                await connection.execute(statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
            ids = range(number + 1, number + WRITES + 1)
            number += WRITES
            for name, statement in ONE_BY_ONE.items():
                arguments = [(clinic_id, one, one) if statement == CREATE else (one,) for one in ids]
                took[kind].setdefault(name, []).append(await each(connection, statement, arguments))
            started = perf_counter()
            await connection.execute(CREATE, clinic_id, number + 1, number + 10_000)
            took[kind].setdefault("create 10,000 at once", []).append((perf_counter() - started) * 1000)
            number += 10_000
    rows = []
    for name, without in took["versions"].items():
        one, other = statistics.median(without), statistics.median(took["rollups"][name])
        rows.append((name, f"{one:.2f}", f"{other:.2f}", f"{other / one:.2f}"))
    return Table("A transaction of SQL", ("p50 ms", "versions", "and rollups", "ratio"), rows)


def told(found: Figures, small: int, large: int) -> tuple[Table, list[Target]]:
    """The table of `reads`, and what it says of target 3. `small`, `large`: the clinics' ids."""
    rows = []
    for name in dict.fromkeys(name for name, _ in found):
        one, other = found[name, small], found[name, large]
        rows.append((name, f"{one:.1f}", f"{other:.1f}", f"{other / one:.2f}", f"{other / found[APART, large]:.3f}"))
    miss = {clinic_id: found[UNFILTERED, clinic_id] for clinic_id in (small, large)}
    return Table("", ("p50 ms", "small", "large", "ratio", "of the separate queries"), rows), [
        Target(3, "a miss in the large clinic, of one in the small", miss[large] / miss[small], 2, at_least=False),
        Target(3, "a miss in the large clinic, of 15 queries", miss[large] / found[APART, large], 0.1, at_least=False),
    ]


async def plan(connection: "asyncpg.Connection[asyncpg.Record]", clinic_id: int) -> None:
    values = {"now": "now()", "is_whole": "true", "clinics": f"ARRAY[{clinic_id}]"}
    statement = re.sub(r"(?<![:\w]):(\w+)", lambda found: values.get(found[1], "NULL"), STATS.text)
    await connection.execute("SET jit = off")
    for row in await connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) {statement}"):
        print(row[0])


async def measure(url: str, asked: argparse.Namespace) -> Part:
    connection = await asyncpg.connect(url)
    clinics: dict[int, int] = {}
    for prefix, tickets in (("SMAL", SMALL), ("LARG", asked.tickets)):
        started = perf_counter()
        clinic_id = await make_clinic(connection, prefix, tickets)
        clinics[clinic_id] = tickets
        written = perf_counter()
        await connection.execute("SELECT cache_new_timeline(true)")
        await fill(connection, clinic_id)
        filled = perf_counter()
        print(f"{tickets:,} tickets: written in {written - started:.1f} s, rollups filled in {filled - written:.1f} s")
    for clinic_id in clinics:
        await fill(connection, clinic_id)
    await connection.execute("VACUUM ANALYZE")
    found = await reads(url, clinics, asked.rounds)
    if asked.plans:
        for clinic_id, tickets in clinics.items():
            print(f"\n{tickets:,} tickets, no filter")
            for _ in range(3):
                await connection.execute("SELECT zone_marks('America/Santiago')")
            await plan(connection, clinic_id)
    small, large = clinics
    table, targets = told(found, small, large)
    written_by_sql = await writes(connection, small)
    await connection.close()
    return Part(
        name="cold",
        title="A dashboard that nobody has computed yet",
        how=f"A clinic with {SMALL:,} tickets of ten years, and one with {asked.tickets:,}. p50 of {asked.rounds}.",
        tables=[table, written_by_sql],
        targets=targets,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--plans", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = start_servers(Path(folder) / "data", durable=False, valkey=False)
        try:
            upgrade(servers.database_url)
            finish(asyncio.run(measure(servers.database_url, asked)))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
