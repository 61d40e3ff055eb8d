"""A clinic's working day, compressed in time: how many reads are hits (docs/design/performance.md, targets 10 and 4).

    .venv/bin/python -m bench.workday [--clinics 2] [--seconds 180] [--beside NAME=VALUE]

Twelve hours of pages and applications that poll dashboards and catalogs, and of nurses who write (bench/workday/day.py
says how many), go to two workers. The database's clock is not compressed: where an hour strikes, the clinic's figures
are invalidated in its place. After that, without compression, a minute of target 4: one write per clinic every ten
seconds, one reader each a second. With `--beside`, the day is played again with that in the service's environment.
"""

import argparse
import asyncio
from collections.abc import Mapping

import asyncpg
import httpx

from bench.flush import PUBLISHED
from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from bench.servers.serving import serving, ticket_home
from bench.servers.site import Site, site
from bench.workday import day
from bench.workday.day import CATALOGS, DASHBOARD, Moment
from bench.workday.play import Played, Player, clinics_of

LENGTH = (day.ENDS - day.BEGINS) * day.HOUR
STEADY_SECONDS, WRITTEN_EVERY = 60.0, 10.0
MOST_LATE = 1.0
COMPUTED = (
    'ticket_home_cache_reads_total{outcome="miss",policy="dashboard",tier="database"}',
    'ticket_home_cache_refreshed_total{policy="dashboard",tier="database"}',
)
"""Beginnings of the metrics' lines."""


async def played(place: Site, port: int, moments: list[Moment], times: float) -> Played:
    superuser, *bearers = await place.sessions(["superuser", *(f"admin_{prefix}" for prefix in place.prefixes)])
    clinics = await clinics_of(place.embedded.database_url, bearers)
    async with asyncpg.create_pool(place.embedded.database_url, min_size=1, max_size=2) as database:
        found = await Player(port, clinics, superuser, database).play(moments, times)
    if found.wrong:
        raise SystemExit(f"{len(found.wrong)} answers that nobody should get; the first:\n{found.wrong[0]}")
    return found


async def computed(port: int) -> int:
    """Dashboards that the database was asked for, by readers and ahead of them, in all workers since they started."""
    await asyncio.sleep(PUBLISHED)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(COMPUTED))


def a_day(asked: argparse.Namespace, setting: Mapping[str, str]) -> Played:
    with site(asked.clinics, asked.clinics * 2000) as place:
        environment = place.environment | dict(setting)
        with serving(None, lambda port: ticket_home(port, workers=2), environment, place.folder / "log") as up:
            return asyncio.run(played(place, up.port, day.day(asked.clinics), LENGTH / asked.seconds))


def a_minute(asked: argparse.Namespace) -> tuple[Played, float]:
    """And how many computations there were for each version of each entry."""
    with (
        site(asked.clinics, asked.clinics * 2000) as place,
        serving(None, lambda port: ticket_home(port, workers=2), place.environment, place.folder / "log") as up,
    ):
        moments = day.steady(asked.clinics, STEADY_SECONDS, WRITTEN_EVERY)
        # Everything has been read once before: it is writes that are measured.
        asyncio.run(played(place, up.port, [one for one in moments if one.does == "read"][: asked.clinics], 1))
        found = asyncio.run(played(place, up.port, moments, 1))
        return found, asyncio.run(computed(up.port)) / (found.writes + asked.clinics)


def table(of: Played, title: str) -> Table:
    rows = []
    for target, counts in of.reads.items():
        others = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items() if outcome != "hit")
        rows.append((target.removeprefix("/v1/"), f"{counts.total():,}", others, f"{of.hit_rate(target):.2%}"))
    return Table(title, ("policy", "reads", "not hits", "hit rate"), rows)


def part(asked: argparse.Namespace) -> Part:
    settings = {"as it is": {}} | {words: dict([words.split("=", 1)]) for words in asked.beside}
    days = {name: a_day(asked, setting) for name, setting in settings.items()}
    minute, computations = a_minute(asked)
    tables, targets, notes = [], [], []
    for name, of in days.items():
        tables.append(table(of, f"The day, {name}: {of.writes:,} writes"))
        catalogs = min(of.hit_rate(catalog) for catalog in CATALOGS)
        targets += [
            Target(10, f"a working day, {name}: the dashboard's hit rate", of.hit_rate(DASHBOARD), 0.95),
            Target(10, "the same: the lowest hit rate of a catalog", catalogs, 0.99),
        ]
        if of.latest > MOST_LATE:
            notes.append(f"{name}: requests were up to {of.latest:.1f} s late: play it over more --seconds")
    tables.append(table(minute, f"A minute of target 4: {minute.writes} writes"))
    targets += [
        Target(4, "a write per clinic every 10 s, a reader a second: hits, of reads", minute.hit_rate(DASHBOARD), 0.99),
        Target(4, "the same: computations for each version of each entry", computations, 1.0, at_least=False),
    ]
    how = (
        f"{asked.clinics} clinics, 2 workers; twelve hours in {asked.seconds:g} s. A hit is one in memory or in Redis."
    )
    return Part("workday", "A working day", how, tables, targets, notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clinics", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=180, help="that the day takes")
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=VALUE")
    finish(part(parser.parse_args()))


if __name__ == "__main__":
    main()
