"""The order of an import, in its one transaction."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.db.bulk_copy import Connection
from core.db.connections.connection import APPLICATION, connect_directly
from core.db.schema.migrate import upgrade
from core.operations.imports.legacy.audits import bring_actions, bring_logins
from core.operations.imports.legacy.catalogs.by_name import Specialties, bring_reasons, bring_specialties
from core.operations.imports.legacy.catalogs.doctors import bring_doctors
from core.operations.imports.legacy.catalogs.surgeries import bring_surgeries
from core.operations.imports.legacy.catalogs.thresholds import bring_thresholds
from core.operations.imports.legacy.clinics import bring_clinics
from core.operations.imports.legacy.context import Folding, Run
from core.operations.imports.legacy.memory import Memory
from core.operations.imports.legacy.people.patients import bring_patients
from core.operations.imports.legacy.people.users import bring_users
from core.operations.imports.legacy.report import Report
from core.operations.imports.legacy.source import COLUMNS, Source, opened
from core.operations.imports.legacy.tickets.bring import bring_tickets
from core.operations.imports.legacy.tickets.later import IMPORT
from core.operations.imports.legacy.tickets.modifications import bring_modifications

SETTINGS = {
    **{"timezone": "UTC", "lock_timeout": "60s"},
    **{"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"},
}
ADVISORY_LOCK = 0x6C6567616379  # "legacy"
FILLED = (
    "clinic, app_user, specialty, surgery, doctor, standardized_reason, patient, ticket, fpa_modification,"
    " login_audit, action_audit, legacy_map, legacy_ticket"
)


async def import_legacy(
    source_url: str, target_url: str, *, assume_discharged_after: timedelta | None, progress: bool
) -> Report:
    """Everything that the old application knows, or nothing.

    The target is migrated first. Active tickets that are overdue by more than `assume_discharged_after` count as
    discharged at their FPA; None: none does. `progress` draws a bar on standard error.
    Raises NotTheSource for another application's database, and what asyncpg raises.
    """
    started = perf_counter()
    async with opened(source_url) as source:
        await asyncio.to_thread(upgrade, target_url)
        report = Report(remarks=list(source.remarks()))
        async with _target(target_url) as target:
            with _bar(shown=progress) as bar, _no_collecting():
                task = bar.add_task("Import", total=sum([await source.count(table) for table in COLUMNS]))
                async with target.transaction():
                    run = await _begin(
                        source, target, report, assume_discharged_after, lambda rows: bar.advance(task, rows)
                    )
                    await _bring(run)
            if report.imported:
                # Plans by the new sizes, and counts from indexes alone.
                await target.execute(f"VACUUM (ANALYZE) {FILLED}")
    if run.assumed:
        report.remarks.append(f"{run.assumed:,} tickets count as discharged at their FPA (assumed).")
    report.seconds = perf_counter() - started
    return report


@asynccontextmanager
async def _target(url: str) -> AsyncIterator[Connection]:
    connection = await connect_directly(url, name=f"{APPLICATION}-import", settings=SETTINGS)
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Rows make no cycles, and to look for some among all that a run knows takes a third of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _bar(*, shown: bool) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), disable=not shown)


async def _begin(
    source: Source, target: Connection, report: Report, assume: timedelta | None, advance: Callable[[int], None]
) -> Run:
    # Two imports at once run one after the other.
    await target.execute("SELECT pg_advisory_xact_lock($1)", ADVISORY_LOCK)
    now: datetime = await target.fetchval("SELECT clock_timestamp()")
    return Run(
        source=source,
        target=target,
        report=report,
        memory=await Memory.of(target),
        fold=Folding(target),
        now=now,
        overdue_before=None if assume is None else now - assume,
        advance=advance,
    )


async def _bring(run: Run) -> None:
    await bring_clinics(run)
    await bring_users(run)
    specialties = await Specialties.of(run)
    await bring_specialties(run, specialties)
    await bring_surgeries(run, specialties)
    await bring_doctors(run, specialties)
    await bring_reasons(run)
    await bring_thresholds(run)
    await bring_patients(run)
    await bring_tickets(run)
    await bring_modifications(run)
    await bring_logins(run)
    await bring_actions(run)
    await run.memory.store(run.target)
    await _record(run)


async def _record(run: Run) -> None:
    """The import itself is audited, if it did something."""
    taken = run.report.taken_over
    if run.report.imported or run.assumed_later or taken:
        changes = {table: [None, counts.imported] for table, counts in run.report.tables.items() if counts.imported}
        if taken:
            changes["taken_over"] = [None, taken]
        if run.assumed_later:
            changes["discharges_assumed"] = [None, run.assumed_later]
        await run.target.execute(
            "INSERT INTO action_audit (username, action, target_type, target_id, changes)"
            " VALUES ($1, 'legacy.imported', 'import', 'legacy', $2)",
            *(IMPORT, json.dumps(changes)),
        )
