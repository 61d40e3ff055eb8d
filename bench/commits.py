"""What the version triggers and their NOTIFY cost who commits: docs/scaling.md has the last figures.

    .venv/bin/python -m bench.commits [--writers 16] [--clinics 20] [--seconds 4] [--rounds 3]

Durable commits (one fsync each, shared where PostgreSQL groups them) of one ticket's change, by writers that each have
clinics of their own, with one process listening. In turns: with NOTIFY, as CACHE_PUSH=false has it, and without the
version triggers at all. It prints each rate, and its ratio to the last.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import asyncpg

from core.db.migrate import upgrade
from core.operations.demo.filling import fill_demo
from core.operations.embedded import start_servers

TICKETS = 20_000
OTHER_ROWS = "SELECT clinic_id, array_agg(id) AS tickets FROM ticket GROUP BY clinic_id ORDER BY clinic_id"
CHANGE = "UPDATE ticket SET current_fpa = current_fpa + interval '1 hour', revision = revision + 1 WHERE id = $1"
WAYS = {
    "versions, NOTIFY": "SET ticket_home.push = 'on'",
    "versions, CACHE_PUSH=false": "SET ticket_home.push = 'off'",
    "no version triggers": "SET ticket_home.push = 'off'",
}
OURS = """
SELECT tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE tgrelid = 'ticket'::regclass AND p.proname LIKE 'cache%'
"""


async def writer(url: str, setting: str, tickets: Sequence[str], until: float) -> int:
    connection = await asyncpg.connect(url)
    await connection.execute(setting)
    commits = 0
    while perf_counter() < until:
        await connection.execute(CHANGE, tickets[commits % len(tickets)])
        commits += 1
    await connection.close()
    return commits


async def rate(url: str, way: str, shares: Sequence[Sequence[str]], seconds: float) -> float:
    began = perf_counter()
    commits = await asyncio.gather(*(writer(url, WAYS[way], share, began + seconds) for share in shares))
    return sum(commits) / (perf_counter() - began)


async def set_version_triggers(connection: "asyncpg.Connection[asyncpg.Record]", *, on: bool) -> None:
    state = "ENABLE ALWAYS" if on else "DISABLE"
    for row in await connection.fetch(OURS):
        await connection.execute(f'ALTER TABLE ticket {state} TRIGGER "{row["tgname"]}"')


async def measure(url: str, options: argparse.Namespace) -> None:
    await fill_demo(url, clinics=options.clinics, tickets=TICKETS, seed=1, password="a-bench-needs-one", progress=False)
    connection = await asyncpg.connect(url)
    listener = await asyncpg.connect(url)
    await listener.add_listener("ticket_home", lambda *_: None)
    found = [row["tickets"] for row in await connection.fetch(OTHER_ROWS)]
    shares = [
        [ticket for tickets in found[number :: options.writers] for ticket in tickets]
        for number in range(min(options.writers, len(found)))
    ]
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way in WAYS:
            await set_version_triggers(connection, on=way != "no version triggers")
            rates[way].append(await rate(url, way, shares, options.seconds))
    await set_version_triggers(connection, on=True)
    await listener.close()
    await connection.close()
    bare = statistics.median(rates["no version triggers"])
    print(f"{len(shares)} writers, {options.clinics} clinics\n{'':<30}{'commits/s':>10}{'ratio':>8}")
    for way, measured in rates.items():
        middle = statistics.median(measured)
        print(f"{way:<30}{middle:>10.0f}{middle / bare:>8.2f}")


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
            asyncio.run(measure(servers.database_url, options))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
