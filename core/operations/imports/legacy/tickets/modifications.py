"""Modifications of the tickets that this run brings; each one's previous FPA is that of the modification before it."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from core.db.bulk_copy import copy
from core.operations.imports.legacy.behind import Behind
from core.operations.imports.legacy.context import ClinicHere, Run, alike
from core.operations.imports.legacy.tickets.later import AUDIT_COLUMNS, IMPORT, audit
from core.operations.imports.legacy.values import UNKNOWN, fitting, instant_local, instant_utc, text

TABLE = "fpa_modification"
COLUMNS = [
    *("clinic_id", "ticket_id", "previous_fpa", "new_fpa", "reason_id", "reason", "justification"),
    *("modified_at", "modified_by_id", "modified_by"),
]
TEXTS = ("reason", "justification", "modified_by")
LONGEST = {"reason": 500, "justification": 1000, "modified_by": 80}
MadeModification = tuple[asyncpg.Record, tuple[Any, ...], list[str]]
"""The row, what it becomes, and what was repaired."""
Known = tuple[str, datetime, datetime]
"""Ticket, time and new FPA of a modification: by these it is found again."""
QUERY = """
SELECT m.*, t.id IS NOT NULL AS has_ticket, t.clinic_id AS ticket_clinic_id,
    coalesce(t.initial_fpa, t.system_calculated_fpa) AS initial_fpa, t.created_at AS ticket_created_at
FROM {fpa_modification} m LEFT JOIN {ticket} t ON t.id = m.ticket_id
ORDER BY m.ticket_id, m.modified_at NULLS FIRST, m.id
"""


async def bring_modifications(run: Run) -> None:
    """Modifications of FPAs, found again by ticket, time and new FPA, in batches. Counts and findings go to
    `run.report`."""
    tables = {name: run.source.table(name) for name in ("fpa_modification", "ticket")}
    chain = Chain()
    async with Behind() as behind:
        async for batch in run.source.batches(QUERY.format(**tables)):
            run.report.of(TABLE).read += len(batch)
            made = await asyncio.to_thread(_made, run, batch, chain)
            await behind.wait()
            there = await _there(run, made)
            new = list(_new(run, made, there))
            behind.start(_store(run, new))
            run.advance(len(batch))


@dataclass(slots=True)
class Chain:
    """The FPA before the next modification: a ticket's may be in two batches."""

    ticket_id: str | None = None
    fpa: datetime | None = None


def _made(run: Run, batch: Sequence[asyncpg.Record], chain: Chain) -> list[MadeModification]:
    """What each row is to become; on a thread, while the batch before is stored."""
    made = []
    for row in batch:
        clinic = run.clinics.get(row["ticket_clinic_id"])
        if not row["has_ticket"] or clinic is None or row["ticket_id"] in run.tickets_refused:
            run.report.refused(TABLE, row["id"], "its ticket is not here")
            continue
        notes: list[str] = []
        if row["ticket_id"] != chain.ticket_id:
            chain.ticket_id = row["ticket_id"]
            chain.fpa = instant_local(row["initial_fpa"], clinic.local, lambda _: None)
        new_fpa = instant_local(row["new_fpa"], clinic.local, notes.append)
        if new_fpa is None:
            run.report.refused(TABLE, row["id"], "without a new FPA")
            continue
        made.append((row, _row(run, row, clinic, chain.fpa, new_fpa, notes), notes))
        chain.fpa = new_fpa
    return made


async def _store(run: Run, new: Sequence[MadeModification]) -> None:
    """With a row in the ticket's history for each whose texts its columns cannot hold whole."""
    await copy(run.target, TABLE, COLUMNS, [values for _, values, _ in new])
    audits = []
    for row, values, _ in new:
        kept = dict(zip(COLUMNS, values, strict=True))
        whole = {name: written for name in TEXTS if (written := text(row[name])) and len(written) > LONGEST[name]}
        if whole:
            changes = {name: [written, kept[name]] for name, written in whole.items()}
            at, clinic_id = kept["modified_at"], kept["clinic_id"]
            audits.append(audit(at, None, IMPORT, clinic_id, "ticket.imported", kept["ticket_id"], changes))
    await copy(run.target, "action_audit", AUDIT_COLUMNS, audits)


def _new(run: Run, made: Sequence[MadeModification], there: set[Known]) -> Iterator[MadeModification]:
    counts = run.report.of(TABLE)
    for row, values, notes in made:
        is_known = row["ticket_id"] in run.tickets_present and _known(values) in there
        if not is_known and (row["ticket_id"] not in run.tickets_present or row["ticket_id"] in run.tickets_taken):
            counts.imported += 1
            run.repaired(TABLE, row["id"], notes)
            yield row, values, notes
        elif is_known:
            counts.present += 1
        else:
            run.report.refused(TABLE, row["id"], "its ticket changed on both sides, and stays as it is here")


def _known(values: tuple[Any, ...]) -> Known:
    return values[COLUMNS.index("ticket_id")], values[COLUMNS.index("modified_at")], values[COLUMNS.index("new_fpa")]


async def _there(run: Run, made: Sequence[MadeModification]) -> set[Known]:
    """Of tickets that were here before."""
    tickets = {values[COLUMNS.index("ticket_id")] for row, values, _ in made if row["ticket_id"] in run.tickets_present}
    rows = await run.target.fetch(
        "SELECT ticket_id, modified_at, new_fpa FROM fpa_modification WHERE ticket_id = ANY($1)", list(tickets)
    )
    return {(row["ticket_id"], row["modified_at"], row["new_fpa"]) for row in rows}


def _row(
    run: Run, row: asyncpg.Record, clinic: ClinicHere, before: datetime | None, new_fpa: datetime, notes: list[str]
) -> tuple[Any, ...]:
    """As in COLUMNS."""
    previous_fpa = instant_local(row["previous_fpa"], clinic.local, notes.append)
    # The old application read the old FPA after it had written the new one.
    if (previous_fpa is None or previous_fpa == new_fpa) and before is not None and before != previous_fpa:
        notes.append("the new FPA as the previous one, or none: that of the modification before, or the initial one")
        previous_fpa = before
    modified_at = instant_utc(row["modified_at"]) or instant_utc(row["ticket_created_at"])
    if instant_utc(row["modified_at"]) is None:
        notes.append("without a time: that of the ticket's creation")
        modified_at = modified_at or new_fpa
    reason = fitting(row["reason"], LONGEST["reason"], notes.append)
    whole = text(row["reason"])
    justification = fitting(row["justification"], LONGEST["justification"], notes.append)
    if reason != whole and justification is None and whole is not None:
        # What does not fit as a reason is one.
        justification = whole[: LONGEST["justification"]]
    modified_by, modified_by_id = run.user(row["modified_by"])
    if modified_by is None:
        notes.append("made by nobody: unknown")
    return (
        *(clinic.id, run.renamed.get(row["ticket_id"], row["ticket_id"]), previous_fpa or new_fpa, new_fpa),
        *(run.modification_reasons.get((clinic.id, alike(reason))) if reason else None, reason or UNKNOWN),
        *(justification, modified_at, modified_by_id, (modified_by or UNKNOWN)[: LONGEST["modified_by"]]),
    )
