"""Tickets: by id. Those that are there stay as they are; the others come with the number that their id names."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from core.clock import in_zone
from core.db.copying import copy
from core.operations.imports.legacy.behind import Behind
from core.operations.imports.legacy.context import ClinicHere, Run, SurgeryHere
from core.operations.imports.legacy.later import (
    AUDIT_COLUMNS,
    IMPORT,
    THERE,
    Present,
    assume,
    audit,
    forget_lost,
    take_over,
    told_of_status,
)
from core.operations.imports.legacy.numbering import count_on, next_numbers
from core.operations.imports.legacy.ticket_row import ID, Made, Refused, ticket_row
from core.operations.imports.legacy.values import UNKNOWN, text
from core.tickets.numbering import ticket_id

TABLE = "ticket"
LONGEST_NAME = 80
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
TAKEN = """
SELECT t.clinic_id, t.year, t.number
FROM ticket t JOIN unnest($1::integer[], $2::integer[], $3::integer[]) AS w (clinic_id, year, number)
    USING (clinic_id, year, number)
"""

Coming = tuple[str, ClinicHere, Made]
"""A ticket on its way, with its id there."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a row is to become, before the target is asked."""

    legacy_id: str
    here: str
    clinic: ClinicHere | None
    made: Made | None
    refused: str = ""
    """Why there is none."""


async def bring_tickets(run: Run) -> None:
    tables = {name: run.source.table(name) for name in ("ticket", "patient", "fpa_modification")}
    without_number: list[Coming] = []
    other_prefix: set[int] = set()
    await forget_lost(run)
    async with Behind() as behind:
        async for batch in run.source.batches(QUERY.format(**tables)):
            run.report.of(TABLE).read += len(batch)
            decided = await asyncio.to_thread(_decide, run, batch)
            await behind.wait()
            ready = []
            for one in await _new(run, decided):
                match = ID.fullmatch(one[2].columns["id"])
                if match is None:
                    without_number.append(one)
                    continue
                one[2].columns |= {"year": int(match[2]), "number": int(match[3])}
                ready.append(one)
                _compare_prefix(run, match[1], one[1], other_prefix)
            ready, clashing = await _by_number(run, ready)
            without_number += clashing
            behind.start(_store(run, ready))
            run.advance(len(batch))
    await count_on(run.target)
    await _number(run, without_number)
    await _store(run, without_number)
    await count_on(run.target)
    await assume(run)


def _compare_prefix(run: Run, letters: str, clinic: ClinicHere, reported: set[int]) -> None:
    if letters != clinic.prefix and clinic.legacy_id not in reported:
        reported.add(clinic.legacy_id)
        run.report.kept("clinic", clinic.legacy_id, "tickets whose ids have other letters than its prefix")


def _decide(run: Run, batch: Sequence[asyncpg.Record]) -> list[Decided]:
    """By what is known already; on a thread, while the batch before is stored."""
    decided = []
    for row in batch:
        legacy_id = row["id"]
        here = run.memory.ticket(legacy_id) or _proper(legacy_id)
        clinic = run.clinics.get(row["clinic_id"])
        if clinic is not None:
            run.ticket_clinics[legacy_id] = clinic.id
        try:
            if clinic is None:
                raise Refused("of no clinic")
            decided.append(Decided(legacy_id, here, clinic, _made(run, row, clinic)))
        except Refused as refused:
            decided.append(Decided(legacy_id, here, clinic, None, str(refused)))
    return decided


async def _new(run: Run, decided: Sequence[Decided]) -> list[Coming]:
    """Those that are not there yet; of the others, what changed since is taken over."""
    rows = await run.target.fetch(THERE, [one.here for one in decided])
    there = {row["id"]: row for row in rows}
    found: list[Coming] = []
    present: list[Present] = []
    given: set[str] = set()
    for one in decided:
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


def _same(there: asyncpg.Record, made: Made) -> bool:
    """Whether a ticket of this id was imported before, from this one."""
    wanted = (made.columns["clinic_id"], made.columns["created_at"])
    return bool(there["imported"]) and (there["clinic_id"], there["created_at"]) == wanted


def _made(run: Run, row: asyncpg.Record, clinic: ClinicHere) -> Made:
    surgery = _surgery(run, row, clinic)
    made = ticket_row(row, clinic, surgery, run.overdue_before)
    patient_id = run.patients.get((row["patient_id"], clinic.id))
    if patient_id is None:
        made.kept.append("without a patient")
    if surgery is None:
        made.kept.append("without a surgery")
    created_by, created_by_id = run.user(row["created_by"])
    if created_by is not None and len(created_by) > LONGEST_NAME:
        made.remarks["created_by"] = [created_by, created_by[:LONGEST_NAME]]
    if created_by is None:
        made.notes.append("made by nobody: unknown")
    annulled_by, made.annulled_by_id = run.user(row["annulled_by"])
    if made.columns["status"] != "annulled":
        if annulled_by is not None:
            made.remarks["annulled_by"] = [annulled_by, None]
        annulled_by = None
    made.columns |= {
        "patient_id": patient_id,
        "surgery_id": surgery.id if surgery else None,
        "doctor_id": _doctor(run, row, clinic, made),
        "created_by": (created_by or UNKNOWN)[:LONGEST_NAME],
        "created_by_id": created_by_id,
        "annulled_by": annulled_by and annulled_by[:LONGEST_NAME],
    }
    return made


def _surgery(run: Run, row: asyncpg.Record, clinic: ClinicHere) -> SurgeryHere | None:
    """Its own; of another clinic's, or of none, the clinic's own of that name."""
    found = run.surgeries.get(row["surgery_id"])
    if found is not None and found.clinic_id == clinic.id:
        return found
    name = found.name if found is not None else text(row["surgery_name_snapshot"])
    return run.surgeries_by_name.get((clinic.id, run.fold(name))) if name else None


def _doctor(run: Run, row: asyncpg.Record, clinic: ClinicHere, made: Made) -> int | None:
    at, doctor_id = run.doctors.get(row["doctor_id"], (None, None))
    if at == clinic.id:
        return doctor_id
    if row["doctor_id"] is None:
        return None
    doctor_id = run.doctors_by_name.get((clinic.id, run.doctor_names.get(row["doctor_id"], "")))
    made.notes.append("a doctor that its clinic lacks: the clinic's own of that name, or none")
    return doctor_id


async def _by_number(run: Run, ready: Sequence[Coming]) -> tuple[list[Coming], list[Coming]]:
    """Those whose number is free in their clinic and year, and those whose is not."""

    def number(made: Made) -> tuple[int, int, int]:
        return made.columns["clinic_id"], made.columns["year"], made.columns["number"]

    wanted = [number(made) for _, _, made in ready]
    rows = await run.target.fetch(TAKEN, *map(list, zip(*wanted, strict=True))) if wanted else []
    taken = {(row["clinic_id"], row["year"], row["number"]) for row in rows}
    free: list[Coming] = []
    clashing: list[Coming] = []
    for one in ready:
        clashes = number(one[2]) in taken or one[2].columns["number"] == 0
        (clashing if clashes else free).append(one)
        taken.add(number(one[2]))
    return free, clashing


async def _number(run: Run, tickets: Sequence[Coming]) -> None:
    """Numbers after the highest. What cannot be an id here, for no path would lead to it, becomes one."""
    numbers = await next_numbers(run.target)
    for legacy_id, clinic, made in tickets:
        match = ID.fullmatch(made.columns["id"])
        year = int(match[2]) if match else in_zone(made.columns["created_at"], clinic.local).year
        number = numbers.take(clinic.id, year)
        made.columns |= {"year": year, "number": number}
        if match is not None:
            made.notes.append("a number that another ticket of its clinic and year has, or none: counts as a later one")
            continue
        here = ticket_id(clinic.prefix, year, number)
        made.notes.append("an id of another form than TH-SANT-2025-001: got a new one")
        made.remarks["id"] = [legacy_id, here]
        made.columns["id"] = here
        run.renamed[legacy_id] = here
        run.memory.add("ticket", legacy_id, "", here)


async def _store(run: Run, tickets: Sequence[Coming]) -> None:
    await copy(run.target, TABLE, COLUMNS, [[made.columns[name] for name in COLUMNS] for _, _, made in tickets])
    audits: list[tuple[Any, ...]] = []
    for legacy_id, clinic, made in tickets:
        run.repaired(TABLE, legacy_id, made.notes)
        for what in made.kept:
            run.report.kept(TABLE, legacy_id, what)
        here = made.columns["id"]
        audits += told_of_status(run, here, clinic, made)
        if made.remarks:
            audits.append(audit(run.now, None, IMPORT, clinic.id, "ticket.imported", here, made.remarks))
    await copy(run.target, "action_audit", AUDIT_COLUMNS, audits)
    known = [(made.columns["id"], made.fingerprint, 1) for _, _, made in tickets]
    await copy(run.target, "legacy_ticket", ["id", "fingerprint", "revision"], known)
    run.report.of(TABLE).imported += len(tickets)
    run.assumed += sum(made.columns["discharge_assumed"] for _, _, made in tickets)
