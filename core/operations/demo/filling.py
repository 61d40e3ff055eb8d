"""`ticket-home demo`: the clinics that are missing, two at a time, each in one transaction.

A clinic that is there is complete and stays as it is. So a second run does nothing, and a run after a kill makes what
the first one had yet to make.
"""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.clinics.prefix import prefix_for
from core.db.bulk_copy import Connection
from core.db.connections.connection import APPLICATION, connect_directly
from core.operations.demo.clinic import PlannedClinic, email_of, make_clinic
from core.operations.demo.names import clinic_names, timezone_of
from core.settings import Settings
from core.users.passwords.hashing import hash_password

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

ADVISORY_LOCK = 0x64656D6F  # "demo"
AT_ONCE = 2
MOST_CLINICS = 1000
SHARES = (8, 7, 10, 13, 16, 14, 9, 10, 6)
"""Of the nine in the network's tickets, relative; every other one gets the last."""
FILLED = (
    "clinic, app_user, specialty, surgery, doctor, standardized_reason, patient, ticket, fpa_modification, delay,"
    " action_audit"
)


class DemoRefused(Exception):
    """Demo data may not be made here, or not as asked. Its message is for people."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What filling in the demo has done, as a sentence by `str`."""

    clinics: int
    """Made by this run, as `tickets`."""
    tickets: int
    present: int
    """Clinics that were there."""
    seconds: float

    def __str__(self) -> str:
        if not self.clinics:
            return f"Demo data is there already ({self.present} clinics); nothing was changed."
        there = f" ({self.present} clinics were there already)" if self.present else ""
        return f"Demo data: {self.clinics} clinics and {self.tickets:,} tickets in {self.seconds:.1f} s{there}."


def fill(
    database_url: str, *, clinics: int = 9, tickets: int = 5000, seed: int = 1, password: str, progress: bool = True
) -> Summary:
    """Make the demo clinics that are missing. Not inside a running event loop. Raises DemoRefused.

    `tickets` are those of all clinics together, over the last 90 days of the database's clock; `password` is every
    demo user's.
    """
    return asyncio.run(
        fill_demo(database_url, clinics=clinics, tickets=tickets, seed=seed, password=password, progress=progress)
    )


async def fill_demo(
    database_url: str, *, clinics: int = 9, tickets: int = 5000, seed: int = 1, password: str, progress: bool = True
) -> Summary:
    """`fill`, for callers inside a running event loop: same arguments, same errors."""
    if Settings().is_production:
        raise DemoRefused("Demo data is refused in production.")
    if not 1 <= clinics <= MOST_CLINICS or tickets < 0:
        raise DemoRefused(f"1 to {MOST_CLINICS} clinics, and no fewer than 0 tickets.")
    started = perf_counter()
    async with _connected(database_url) as keeper:
        # Held until this connection ends, however it ends: two runs at once fill one after the other.
        await keeper.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
        missing = await _missing(keeper, clinics, tickets)
        if missing:
            password_hash = await asyncio.to_thread(hash_password, password)
            await _superuser(keeper, password_hash)
            now: datetime = await keeper.fetchval("SELECT clock_timestamp()")
            await _make(database_url, missing, seed, now, password_hash, progress)
            # Plans by the new sizes, and counts from indexes alone.
            await keeper.execute(f"VACUUM (ANALYZE) {FILLED}")
    made = sum(clinic.tickets for clinic in missing)
    return Summary(len(missing), made, clinics - len(missing), perf_counter() - started)


@asynccontextmanager
async def _connected(database_url: str) -> "AsyncIterator[Connection]":
    settings = {"timezone": "UTC", "synchronous_commit": "off"}
    connection = await connect_directly(database_url, name=f"{APPLICATION}-demo", settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


async def _missing(connection: Connection, clinics: int, tickets: int) -> list[PlannedClinic]:
    rows = await connection.fetch("SELECT name, prefix FROM clinic")
    present = {row["name"] for row in rows}
    taken = {row["prefix"] for row in rows}
    found = []
    named = zip(islice(clinic_names(), clinics), apportioned(tickets, clinics), strict=True)
    for index, (name, share) in enumerate(named):
        if name not in present:
            prefix = prefix_for(name, taken)
            taken.add(prefix)
            found.append(PlannedClinic(index, name, prefix, timezone_of(name), share))
    return found


def apportioned(tickets: int, clinics: int) -> Iterator[int]:
    """Each clinic's tickets by its share; together exactly `tickets`."""
    shares = [SHARES[min(index, len(SHARES) - 1)] for index in range(clinics)]
    total, before, given = sum(shares), 0, 0
    for share in shares:
        before += share
        until = tickets * before // total
        yield until - given
        given = until


async def _superuser(connection: Connection, password_hash: str) -> None:
    await connection.execute(
        "INSERT INTO app_user (username, email, password_hash, role) VALUES ($1, $2, $3, 'superuser')"
        " ON CONFLICT DO NOTHING",
        "superuser",
        email_of("superuser"),
        password_hash,
    )


async def _make(
    database_url: str, missing: list[PlannedClinic], seed: int, now: "datetime", password_hash: str, progress: bool
) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tickets"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    waiting = iter(missing)
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task("Demo data", total=sum(clinic.tickets for clinic in missing))

        async def work() -> None:
            async with _connected(database_url) as connection:
                for clinic in waiting:
                    await make_clinic(
                        connection,
                        clinic,
                        seed=seed,
                        now=now,
                        password_hash=password_hash,
                        advance=lambda tickets: bar.advance(task, tickets),
                    )

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(missing))):
                    group.create_task(work())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
