"""What the dashboard costs the database: its one statement beside 15 separate queries, on the same rows and indexes.

    .venv/bin/python -m bench.dashboard_sql [--tickets 200000] [--clinics 20] [--rounds 30]

On an embedded PostgreSQL of its own. Both go through SQLAlchemy, over one connection, in turns; the separate queries
lack `by_hour` and `recent_tickets`, which the one statement brings too. Ratios are what counts: times drift.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from core.cache.versions.map import VersionMap
from core.clock import start_of_day, zone
from core.dashboard.part import part_of
from core.dashboard.stats import Filters, read_stats
from core.db.connections.engine import dispose, serving_engine
from core.db.schema.migrate import upgrade
from core.db.transaction import Database, ReadSession
from core.operations.demo import fill
from core.operations.embedded import start_servers
from core.settings import Settings

USUAL = 10_000
"""Tickets of the clinic that is measured, or as near as there is one."""
HOUR_ENDS = "date_trunc('hour', current_fpa + interval '30 minutes', CAST(:zone AS text))"

SEPARATE = {
    name: text(query.replace("TICKETS", "FROM ticket WHERE clinic_id = :clinic"))
    for name, query in {
        "total": "SELECT count(*) TICKETS",
        "active": "SELECT count(*) TICKETS AND status = 'active' AND current_fpa > :now",
        "overdue": "SELECT count(*) TICKETS AND status = 'active' AND current_fpa <= :now",
        "discharged": "SELECT count(*) TICKETS AND status = 'discharged'",
        "annulled": "SELECT count(*) TICKETS AND status = 'annulled'",
        "created_today": "SELECT count(*) TICKETS AND created_at >= :today",
        "created_this_week": "SELECT count(*) TICKETS AND created_at >= :week",
        "created_this_month": "SELECT count(*) TICKETS AND created_at >= :month",
        "near_deadline": "SELECT count(*) TICKETS AND status = 'active' AND current_fpa > :now"
        " AND current_fpa <= CAST(:now AS timestamptz) + interval '24 hours'",
        "discharged_today": "SELECT count(*) TICKETS AND status = 'discharged' AND discharged_at >= :today",
        "on_time_rate": f"SELECT count(*) FILTER (WHERE discharged_at <= {HOUR_ENDS})::float / nullif(count(*), 0)"
        " TICKETS AND status = 'discharged' AND NOT discharge_assumed",
        "mean_delay_minutes": "SELECT extract(epoch FROM avg(discharged_at - current_fpa)) / 60"
        " TICKETS AND status = 'discharged' AND NOT discharge_assumed",
        "top_surgeries": "SELECT s.name, count(*) FROM ticket t JOIN surgery s ON s.id = t.surgery_id"
        " WHERE t.clinic_id = :clinic GROUP BY s.id ORDER BY 2 DESC, 1 LIMIT 5",
        "doctors_by_modifications": "SELECT d.name, count(*) FROM fpa_modification m"
        " JOIN ticket t ON t.id = m.ticket_id JOIN doctor d ON d.id = t.doctor_id WHERE m.clinic_id = :clinic"
        " GROUP BY d.id ORDER BY 2 DESC, 1 LIMIT 10",
        "modifications": "SELECT count(*), count(DISTINCT ticket_id) FROM fpa_modification WHERE clinic_id = :clinic",
    }.items()
}
SIZES = text(
    "SELECT clinic_id, timezone, count(*) AS tickets FROM ticket JOIN clinic ON clinic.id = clinic_id GROUP BY 1, 2"
)


class Case:
    """One clinic at one moment; the whole network beside it."""

    def __init__(self, clinic: Any, clinics: list[int], now: datetime) -> None:
        self.clinic_id, self.clinics, self.now = clinic.clinic_id, clinics, now
        local = zone(clinic.timezone)
        today = now.astimezone(local).date()
        monday = today.fromordinal(today.toordinal() - today.weekday())
        self.values = {
            "clinic": clinic.clinic_id,
            "zone": clinic.timezone,
            "now": now,
            "today": start_of_day(today, local),
            "week": start_of_day(monday, local),
            "month": start_of_day(today.replace(day=1), local),
        }

    async def one_statement(self, session: ReadSession) -> dict[str, Any]:
        rows = await read_stats(session, [self.clinic_id], self.now, Filters(), is_whole=True)
        return part_of(rows[self.clinic_id], self.now).dashboard.kpis.model_dump()

    async def separate(self, session: ReadSession) -> dict[str, Any]:
        found = {}
        for name, query in SEPARATE.items():
            used = {key: value for key, value in self.values.items() if f":{key}" in query.text}
            found[name] = (await session.execute(query, used)).all()[0][0]
        return found

    async def network(self, session: ReadSession) -> None:
        await read_stats(session, self.clinics, self.now, Filters(), is_whole=True)


async def measure(url: str, rounds: int) -> Part:
    engine = serving_engine(Settings(database_url=SecretStr(url)))

    async def work(session: ReadSession) -> Part:
        clinics = (await session.execute(SIZES)).all()
        now: datetime = (await session.execute(text("SELECT now()"))).scalar_one()
        usual = min(clinics, key=lambda row: abs(row.tickets - USUAL))
        case = Case(usual, [row.clinic_id for row in clinics], now)
        counted, separate = await case.one_statement(session), await case.separate(session)
        for name in ("total", "active", "overdue", "near_deadline", "created_this_month", "discharged_today"):
            if counted[name] != separate[name]:
                raise SystemExit(f"{name}: {counted[name]} in one statement, {separate[name]} in one of its own")
        took: dict[str, list[float]] = {"separate": [], "one": [], "network": []}
        runs: dict[str, Callable[[ReadSession], Awaitable[Any]]] = {
            "separate": case.separate,
            "one": case.one_statement,
            "network": case.network,
        }
        for _ in range(rounds):
            for name, run in runs.items():
                started = perf_counter()
                await run(session)
                took[name].append((perf_counter() - started) * 1000)
        p50 = {name: statistics.median(times) for name, times in took.items()}
        tickets = sum(row.tickets for row in clinics)
        how = f"{tickets:,} tickets of {len(clinics)} clinics; the one measured has {usual.tickets:,}. p50 of {rounds}."
        return told(how, p50)

    try:
        # Longer than any request may take: this is one transaction for all rounds.
        return await Database(engine, VersionMap()).snapshot(work, budget=600)
    finally:
        await dispose(engine)


def told(how: str, p50: Mapping[str, float]) -> Part:
    names = {"separate": f"{len(SEPARATE)} separate queries", "one": "one statement", "network": "all clinics in one"}
    rows = [(names[name], f"{ms:.1f}", f"{ms / p50['separate']:.2f}") for name, ms in p50.items()]
    return Part(
        name="dashboard_sql",
        title="The dashboard's SQL",
        how=how,
        tables=[Table("", ("", "ms", "of the separate ones"), rows)],
        targets=[
            Target(
                3,
                "one statement, of 15 separate ones on the same data",
                p50["one"] / p50["separate"],
                None,  # asked of 1,000,000 tickets: bench/cold.py
            )
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=200_000)
    parser.add_argument("--clinics", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = start_servers(Path(folder) / "data", durable=False, valkey=False)
        try:
            upgrade(servers.database_url)
            summary = fill(
                servers.database_url,
                clinics=asked.clinics,
                tickets=asked.tickets,
                password="a-bench-needs-none",
                progress=False,
            )
            print(summary)
            upgrade(servers.database_url)  # which fills the rollups
            finish(asyncio.run(measure(servers.database_url, asked.rounds)))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
