"""Surgeries: by clinic and name. Two of one name with different hours stay two."""

from typing import Any

import asyncpg

from core.operations.imports.legacy.catalogs.by_name import NO_CLINIC, Specialties
from core.operations.imports.legacy.context import ClinicHere, Newcomers, Run, SurgeryHere, alike
from core.operations.imports.legacy.values import MERGED, named, text, whole, within, yes

TABLE = "surgery"
THERE = "SELECT id, clinic_id, name, folded_text(name) AS key, base_stay_hours FROM surgery"
COLUMNS = (
    "clinic_id name specialty_id base_stay_hours applies_ticket_home is_ambulatory ambulatory_cutoff_hour is_active"
)
HOURS = (1, 2160)
DEFAULT_HOURS = 24
NO_SPECIALTY = "(none)"


async def bring_surgeries(run: Run, specialties: Specialties) -> None:
    """Surgeries, found again by clinic, name and hours. Counts and findings go to `run.report`; `run.surgeries` is by
    their ids there."""
    rows = await run.source.all(TABLE)
    called = {row["id"]: text(row["name"]) for row in await run.source.all("specialty")}
    counts = run.report.of(TABLE)
    by_id = await _there(run)
    new = Newcomers(run.target, TABLE, COLUMNS)
    made: set[int] = set()
    for row in rows:
        counts.read += 1
        clinic = run.clinics.get(row["clinic_id"])
        if clinic is None:
            run.report.refused(TABLE, row["id"], NO_CLINIC)
            continue
        notes: list[str] = []
        name = named(row["name"], row["id"], 200, notes)
        key = f"{clinic.id}/{alike(name)}"
        known = run.memory.row(TABLE, row["id"], key)
        found = run.surgeries_by_name.get((clinic.id, alike(name))) if known is None else by_id[known]
        if found is not None and found.id in made and _hours(row) != found.hours:
            # Of one, tickets would be calculated with the other's hours.
            notes.append("a name that another surgery with other hours has: got a number")
            name, found = f"{name[:180]} ({row['id']})", None
        if found is None:
            values = _values(row, notes)
            specialty_id = await _specialty(run, specialties, row, clinic, called.get(row["specialty_id"]), notes)
            surgery_id = await new.add(clinic.id, name, specialty_id, *values)
            found = by_id[surgery_id] = SurgeryHere(surgery_id, clinic.id, name, values[0])
            run.surgeries_by_name[clinic.id, alike(name)] = found
            made.add(surgery_id)
            counts.imported += 1
            run.repaired(TABLE, row["id"], notes)
        elif found.id in made:
            counts.merged += 1
            run.repaired(TABLE, row["id"], [MERGED])
        else:
            counts.present += 1
            if known is None and _hours(row) != found.hours:
                run.report.kept(TABLE, row["id"], "has other hours here: left as it is here")
        run.memory.add(TABLE, row["id"], key, found.id)
        run.surgeries[row["id"]] = found
    await specialties.new.store()
    await new.store()
    run.advance(len(rows))


async def _there(run: Run) -> dict[int, SurgeryHere]:
    """The target's, which the run knows by name from now on, too."""
    by_id = {}
    for row in await run.target.fetch(
        "SELECT id, clinic_id, name, folded_text(name) AS key, base_stay_hours FROM surgery"
    ):
        surgery = SurgeryHere(row["id"], row["clinic_id"], row["name"], row["base_stay_hours"])
        by_id[surgery.id] = run.surgeries_by_name[surgery.clinic_id, row["key"]] = surgery
    return by_id


def _hours(row: asyncpg.Record) -> int:
    """Usable ones."""
    given = whole(row["base_stay_hours"])
    return DEFAULT_HOURS if given is None else min(max(given, HOURS[0]), HOURS[1])


def _values(row: asyncpg.Record, notes: list[str]) -> tuple[Any, ...]:
    """As in COLUMNS, from the hours on."""
    is_active, hours = yes(row["is_active"]), _hours(row)
    if hours != row["base_stay_hours"]:
        notes.append("base hours out of 1 to 2160: the nearest, and inactive until somebody looks at it")
        is_active = False
    cutoff = within(row["ambulatory_cutoff_hour"], 0, 23)
    if cutoff is None and row["ambulatory_cutoff_hour"] is not None:
        notes.append("a cut-off hour out of 0 to 23: none here")
    applies = row["applies_ticket_home"]
    return hours, applies is None or yes(applies), yes(row["is_ambulatory"]), cutoff, is_active


async def _specialty(
    run: Run,
    specialties: Specialties,
    row: asyncpg.Record,
    clinic: ClinicHere,
    called: str | None,
    notes: list[str],
) -> int:
    """Its own; where the clinic lacks it, the clinic's of the name `called`."""
    at, specialty_id = run.specialties.get(row["specialty_id"], (None, None))
    if at == clinic.id and specialty_id is not None:
        return specialty_id
    notes.append("a specialty that its clinic lacks: the clinic's of that name, else made, inactive")
    found, _ = await specialties.called(clinic.id, (called or NO_SPECIALTY)[:120])
    return found
