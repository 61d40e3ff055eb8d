"""What version triggers, and telling other processes the versions, cost who commits: docs/scaling.md has figures.

    .venv/bin/python -m bench.commits [--writers 16] [--clinics 20] [--seconds 4] [--rounds 3]

Durable commits (one fsync each, shared where PostgreSQL groups them) of one ticket's change, by writers that each have
clinics of their own, with one process listening. In turns, through `Database.write` as the service commits: pushed
after the commit, not at all (CACHE_PUSH=false), and notified in the transaction. And as plain SQL: notified in the
transaction, not at all, and without the version triggers. Each ratio is to not telling at all.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

import asyncpg
from pydantic import SecretStr
from sqlalchemy import text

from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from core.cache.versions.map import VersionMap
from core.cache.versions.payload import CHANNEL
from core.cache.versions.push import Push
from core.db.connections.engine import PushedBy, dispose, serving_engine
from core.db.schema.migrate import upgrade
from core.db.transaction import Database, WriteSession
from core.operations.demo.filling import fill_demo
from core.operations.embedded import start_servers
from core.settings import Settings

TICKETS = 20_000
OTHER_ROWS = "SELECT clinic_id, array_agg(id) AS tickets FROM ticket GROUP BY clinic_id ORDER BY clinic_id"
CHANGE = "UPDATE ticket SET current_fpa = current_fpa + interval '1 hour', revision = revision + 1 WHERE id = $1"
CHANGE_OURS = text(CHANGE.replace("$1", ":id"))
OURS = """
SELECT tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE tgrelid = 'ticket'::regclass AND p.proname LIKE 'cache%'
"""
SERVICE: dict[str, PushedBy] = {
    "Database.write, pushed after": "service",
    "Database.write, CACHE_PUSH=false": "off",
    "Database.write, NOTIFY within": "on",
}
SQL = {"SQL, NOTIFY within": "on", "SQL, push off": "off", "SQL, no version triggers": "off"}
BARE = "SQL, no version triggers"
BESIDE = dict.fromkeys(SERVICE, "Database.write, CACHE_PUSH=false") | dict.fromkeys(SQL, "SQL, push off")
"""Way → what its ratio is to."""

Commit = Callable[[str], Awaitable[object]]
"""One commit, of a ticket's change."""


@asynccontextmanager
async def through_database(url: str, push: PushedBy, writers: int) -> AsyncIterator[Sequence[Commit]]:
    """As the service has it, whose writers share a pool."""
    settings = Settings(database_url=SecretStr(url), database_pool_size=writers)
    engine = serving_engine(settings, push=push)
    pushing = Push(settings.require_direct_url(), VersionMap())
    sending = asyncio.create_task(pushing.run())
    database = Database(engine, pushing if push == "service" else VersionMap())

    async def commit(ticket: str) -> None:
        async def work(session: WriteSession) -> None:
            await session.execute(CHANGE_OURS, {"id": ticket})

        await database.write(work)

    yield [commit] * writers
    sending.cancel()
    await dispose(engine)


@asynccontextmanager
async def plain(url: str, push: str, writers: int) -> AsyncIterator[Sequence[Commit]]:
    opened = [await asyncpg.connect(url, server_settings={"ticket_home.push": push}) for _ in range(writers)]

    def commit_of(connection: "asyncpg.Connection[asyncpg.Record]") -> Commit:
        return lambda ticket: connection.execute(CHANGE, ticket)

    yield [commit_of(connection) for connection in opened]
    for connection in opened:
        await connection.close()


async def rate(commits: Sequence[Commit], shares: Sequence[Sequence[str]], seconds: float) -> float:
    """Commits per second."""
    began = perf_counter()

    async def writer(commit: Commit, tickets: Sequence[str]) -> int:
        done = 0
        while perf_counter() < began + seconds:
            await commit(tickets[done % len(tickets)])
            done += 1
        return done

    done = await asyncio.gather(*(writer(commit, share) for commit, share in zip(commits, shares, strict=True)))
    return sum(done) / (perf_counter() - began)


async def set_version_triggers(connection: "asyncpg.Connection[asyncpg.Record]", *, on: bool) -> None:
    state = "ENABLE ALWAYS" if on else "DISABLE"
    for row in await connection.fetch(OURS):
        await connection.execute(f'ALTER TABLE ticket {state} TRIGGER "{row["tgname"]}"')


async def measure(url: str, options: argparse.Namespace) -> Part:
    await fill_demo(url, clinics=options.clinics, tickets=TICKETS, seed=1, password="a-bench-needs-one", progress=False)
    connection = await asyncpg.connect(url)
    listener = await asyncpg.connect(url)
    told: dict[str, int] = dict.fromkeys(BESIDE, 0)
    now = ""
    await listener.add_listener(CHANNEL, lambda *_: told.update({now: told[now] + 1}))
    found = [row["tickets"] for row in await connection.fetch(OTHER_ROWS)]
    shares = [
        [ticket for tickets in found[number :: options.writers] for ticket in tickets]
        for number in range(min(options.writers, len(found)))
    ]
    rates: dict[str, list[float]] = {way: [] for way in BESIDE}
    for _ in range(options.rounds):
        for now in BESIDE:
            await set_version_triggers(connection, on=now != BARE)
            ours = SERVICE.get(now)
            opened = through_database(url, ours, len(shares)) if ours else plain(url, SQL[now], len(shares))
            async with opened as commits:
                await rate(commits, shares, 0.5)  # warm: connections, plans
                rates[now].append(await rate(commits, shares, options.seconds))
    await set_version_triggers(connection, on=True)
    await listener.close()
    await connection.close()
    middle = {way: statistics.median(measured) for way, measured in rates.items()}
    ratios = {way: middle[way] / middle[beside] for way, beside in BESIDE.items()}
    rows = [(way, f"{middle[way]:,.0f}", f"{ratio:.2f}", f"{told[way]:,}") for way, ratio in ratios.items()]
    pushed, notified = "Database.write, pushed after", "SQL, NOTIFY within"
    return Part(
        name="commits",
        title="Commits",
        how=f"{len(shares)} writers, {options.clinics} clinics, medians of {options.rounds} × {options.seconds:g} s.",
        tables=[Table("", ("", "commits/s", "of telling nobody", "told"), rows)],
        targets=[
            Target(7, "commits through Database.write with push, of those with CACHE_PUSH=false", ratios[pushed], 0.9),
            Target(7, "plain SQL that notifies in its transaction, of that without", ratios[notified], None),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("writers", 16), ("clinics", 20), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = start_servers(Path(folder), valkey=False)
        try:
            upgrade(servers.database_url)
            finish(asyncio.run(measure(servers.database_url, options)))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
