"""Clinics: by name, with a prefix by the rule, and the time zone of where they stand."""

from core.clinics.prefix import letters_of, prefix_for
from core.clock import DEFAULT_ZONE, zone
from core.operations.imports.legacy.context import ClinicHere, Newcomers, Run
from core.operations.imports.legacy.values import MERGED, named, yes

TABLE = "clinic"
MAGALLANES = "America/Punta_Arenas"
IN_MAGALLANES = ("MAGALLANES", "PUNTAARENAS", "NATALES", "PORVENIR")


def timezone_of(name: str) -> str:
    """A clinic's IANA time zone, by the place in its name."""
    letters = letters_of(name)
    return MAGALLANES if any(place in letters for place in IN_MAGALLANES) else DEFAULT_ZONE


async def bring_clinics(run: Run) -> None:
    """Clinics, found again by name. Counts and findings go to `run.report`; `run.clinics` is by their ids there."""
    rows = await run.source.all(TABLE)
    counts = run.report.of(TABLE)
    there = await run.target.fetch("SELECT id, lower(name) AS key, prefix, timezone FROM clinic")
    known = {row["id"]: (row["prefix"], row["timezone"]) for row in there}
    by_name = {row["key"]: row["id"] for row in there}
    taken = {row["prefix"] for row in there}
    await run.fold.learn(row["name"] for row in rows)
    new = Newcomers(run.target, TABLE, "name prefix timezone is_active")
    made = set()
    for row in rows:
        counts.read += 1
        notes: list[str] = []
        name = named(row["name"], row["id"], 120, notes)
        key = run.fold(name)
        clinic_id = run.memory.row(TABLE, row["id"], key) or by_name.get(key)
        if clinic_id is None:
            prefix, timezone = prefix_for(name, taken), timezone_of(name)
            clinic_id = await new.add(name, prefix, timezone, yes(row["is_active"]))
            known[clinic_id] = (prefix, timezone)
            by_name[key] = clinic_id
            taken.add(prefix)
            made.add(clinic_id)
            counts.imported += 1
            run.repaired(TABLE, row["id"], notes)
        elif clinic_id in made:
            counts.merged += 1
            run.repaired(TABLE, row["id"], [MERGED])
        else:
            counts.present += 1
        run.memory.add(TABLE, row["id"], key, clinic_id)
        prefix, timezone = known[clinic_id]
        run.clinics[row["id"]] = ClinicHere(clinic_id, row["id"], prefix, zone(timezone))
    await new.store()
    run.advance(len(rows))
