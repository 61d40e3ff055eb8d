"""Bringing tickets over, by their ids: those that are here stay; new ones keep the number that their id names."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from core.db.bulk_copy import copy
from core.operations.imports.legacy.behind import Behind
from core.operations.imports.legacy.context import ClinicHere, Run
from core.operations.imports.legacy.tickets.later import (
    AUDIT_COLUMNS,
    IMPORT,
    THERE,
    Present,
    assume,
    audit,
    forget_lost,
    status_audits,
    take_over,
)
from core.operations.imports.legacy.tickets.numbering import Coming, by_number, count_on, number
from core.operations.imports.legacy.tickets.references import ticket_of
from core.operations.imports.legacy.tickets.row import ID, MadeTicket, RefusedTicket

TABLE = "ticket"
COLUMNS = [
    *("id", "clinic_id", "year", "number", "patient_id", "surgery_id", "doctor_id", "surgery_name"),
    *("surgery_base_hours", "surgery_at", "admission_at", "system_fpa", "initial_fpa", "current_fpa"),
    *("overnight_stays", "initial_overnight_stays", "bed_number", "location", "episode_id", "status"),
    *("discharged_at", "discharge_assumed", "annulled_at", "annulled_by", "annulment_reason", "imported"),
    *("created_at", "created_by_id", "created_by"),
]
# An episode stood on the patient there, and is one stay's: the latest. In the order of creation, as they lie here too.
QUERY = """
SELECT t.*, e.episode_id, m.new_fpa AS last_fpa, m.modified_at AS last_modified,
    md5(ROW(t.*, e.episode_id, m.new_fpa, m.modified_at)::text)::uuid AS fingerprint
FROM {ticket} t
LEFT JOIN (
    SELECT DISTINCT ON (t.patient_id) t.id AS ticket_id, p.episode_id
    FROM {ticket} t JOIN {patient} p ON p.id = t.patient_id WHERE btrim(p.episode_id) <> ''
    ORDER BY t.patient_id, t.created_at DESC NULLS LAST, length(t.id) DESC, t.id DESC
) e ON e.ticket_id = t.id
LEFT JOIN (
    SELECT DISTINCT ON (ticket_id) ticket_id, new_fpa, modified_at
    FROM {fpa_modification} m ORDER BY ticket_id, modified_at DESC NULLS LAST, id DESC
) m ON m.ticket_id = t.id
ORDER BY t.created_at, length(t.id), t.id
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one of the old application's rows, as far as the row itself says."""

    legacy_id: str
    here: str
    clinic: ClinicHere | None
    made: MadeTicket | None
    refused: str = ""
    """Why there is none."""


async def bring_tickets(run: Run) -> None:
    """Tickets, found again by id, in batches; those without a number of their own get the next ones of their clinic and
    year at the end. Counts and findings go to `run.report`."""
    tables = {name: run.source.table(name) for name in ("ticket", "patient", "fpa_modification")}
    without_number: list[Coming] = []
    other_prefix: set[int] = set()
    await forget_lost(run)
    async with Behind() as behind:
        async for batch in run.source.batches(QUERY.format(**tables)):
            run.report.of(TABLE).read += len(batch)
            planned = await asyncio.to_thread(_plan, run, batch)
            await behind.wait()
            ready = []
            for one in await _new(run, planned):
                match = ID.fullmatch(one[2].columns["id"])
                if match is None:
                    without_number.append(one)
                    continue
                one[2].columns |= {"year": int(match[2]), "number": int(match[3])}
                ready.append(one)
                _compare_prefix(run, match[1], one[1], other_prefix)
            ready, clashing = await by_number(run.target, ready)
            without_number += clashing
            behind.start(_store(run, ready))
            run.advance(len(batch))
    await count_on(run.target)
    await number(run, without_number)
    await _store(run, without_number)
    await count_on(run.target)
    await assume(run)


def _compare_prefix(run: Run, letters: str, clinic: ClinicHere, reported: set[int]) -> None:
    if letters != clinic.prefix and clinic.legacy_id not in reported:
        reported.add(clinic.legacy_id)
        run.report.kept("clinic", clinic.legacy_id, "tickets whose ids have other letters than its prefix")


def _plan(run: Run, batch: Sequence[asyncpg.Record]) -> list[Planned]:
    """Without asking the target; runs on a thread, while the batch before is stored."""
    planned = []
    for row in batch:
        legacy_id = row["id"]
        here = run.memory.ticket(legacy_id) or _proper(legacy_id)
        clinic = run.clinics.get(row["clinic_id"])
        if clinic is not None:
            run.ticket_clinics[legacy_id] = clinic.id
        try:
            if clinic is None:
                raise RefusedTicket("of no clinic")
            planned.append(Planned(legacy_id, here, clinic, ticket_of(run, row, clinic)))
        except RefusedTicket as refused:
            planned.append(Planned(legacy_id, here, clinic, None, str(refused)))
    return planned


async def _new(run: Run, planned: Sequence[Planned]) -> list[Coming]:
    """The tickets that are not here yet. Of those that are, what changed there since is taken over."""
    rows = await run.target.fetch(THERE, [one.here for one in planned])
    there = {row["id"]: row for row in rows}
    found: list[Coming] = []
    present: list[Present] = []
    given: set[str] = set()
    for one in planned:
        other = there.get(one.here)
        if one.clinic is None or one.made is None:
            _refuse(run, one.legacy_id, one.refused)
        elif one.here in given or (other is not None and not _same(other, one.made)):
            _refuse(run, one.legacy_id, "another ticket has this id here")
        else:
            if one.here != one.legacy_id:
                run.renamed[one.legacy_id] = one.here
            if other is not None:
                run.tickets_present.add(one.legacy_id)
                run.report.of(TABLE).present += 1
                present.append(Present(one.legacy_id, one.clinic, one.made, other))
                continue
            given.add(one.here)
            one.made.columns["id"] = one.here
            if one.here != one.legacy_id:
                one.made.notes.append("an id in lower case, or with blanks: as it should be")
                one.made.remarks["id"] = [one.legacy_id, one.here]
            found.append((one.legacy_id, one.clinic, one.made))
    await take_over(run, present)
    return found


def _refuse(run: Run, legacy_id: str, why: str) -> None:
    run.tickets_refused.add(legacy_id)
    run.report.refused(TABLE, legacy_id, why)


def _proper(legacy_id: str) -> str:
    """An id as paths take it, if it is one but for its case."""
    plain = legacy_id.strip().upper()
    return plain if ID.fullmatch(plain) else legacy_id


def _same(there: asyncpg.Record, made: MadeTicket) -> bool:
    """Whether a ticket of this id was imported before, from this one."""
    wanted = (made.columns["clinic_id"], made.columns["created_at"])
    return bool(there["imported"]) and (there["clinic_id"], there["created_at"]) == wanted


async def _store(run: Run, tickets: Sequence[Coming]) -> None:
    await copy(run.target, TABLE, COLUMNS, [[made.columns[name] for name in COLUMNS] for _, _, made in tickets])
    audits: list[tuple[Any, ...]] = []
    for legacy_id, clinic, made in tickets:
        run.repaired(TABLE, legacy_id, made.notes)
        for what in made.kept:
            run.report.kept(TABLE, legacy_id, what)
        here = made.columns["id"]
        audits += status_audits(run, here, clinic, made)
        if made.remarks:
            audits.append(audit(run.now, None, IMPORT, clinic.id, "ticket.imported", here, made.remarks))
    await copy(run.target, "action_audit", AUDIT_COLUMNS, audits)
    known = [(made.columns["id"], made.fingerprint, 1) for _, _, made in tickets]
    await copy(run.target, "legacy_ticket", ["id", "fingerprint", "revision"], known)
    run.report.of(TABLE).imported += len(tickets)
    run.assumed += sum(made.columns["discharge_assumed"] for _, _, made in tickets)
