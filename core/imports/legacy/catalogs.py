"""Specialties, surgeries and reasons: by clinic and name, which are unique here and were not there."""

from dataclasses import dataclass, field

from core.imports.legacy.context import Newcomers, Run, SurgeryHere
from core.imports.legacy.values import MERGED, category_of, named, text, whole, within, yes

HOURS = (1, 2160)
DEFAULT_HOURS = 24
NO_CLINIC = "of no clinic"
NO_SPECIALTY = "(none)"


@dataclass(slots=True)
class Specialties:
    """The target's, by clinic and name in lower case, with those that are on their way."""

    run: Run
    new: Newcomers
    by_name: dict[tuple[int, str], int]
    made: set[int] = field(default_factory=set)

    @classmethod
    async def of(cls, run: Run) -> "Specialties":
        there = await run.target.fetch("SELECT id, clinic_id, lower(name) AS key FROM specialty")
        new = Newcomers(run.target, "specialty", "clinic_id name is_active")
        return cls(run, new, {(row["clinic_id"], row["key"]): row["id"] for row in there})

    async def make(self, clinic_id: int, name: str, *, is_active: bool) -> int:
        made = await self.new.add(clinic_id, name, is_active)
        self.by_name[clinic_id, self.run.fold(name)] = made
        self.made.add(made)
        return made

    async def called(self, clinic_id: int, name: str) -> tuple[int, bool]:
        """The clinic's specialty of that name, and whether it had to be made, inactive."""
        found = self.by_name.get((clinic_id, self.run.fold(name)))
        return (found, False) if found is not None else (await self.make(clinic_id, name, is_active=False), True)


async def bring_specialties(run: Run, specialties: Specialties) -> None:
    table = "specialty"
    rows = await run.source.all(table)
    counts = run.report.of(table)
    await run.fold.learn(text(row["name"]) for row in rows)
    for row in rows:
        counts.read += 1
        clinic = run.clinics.get(row["clinic_id"])
        if clinic is None:
            run.report.refused(table, row["id"], NO_CLINIC)
            continue
        notes: list[str] = []
        name = named(row["name"], row["id"], 120, notes)
        key = run.fold(name)
        found = run.memory.row(table, row["id"], f"{clinic.id}/{key}") or specialties.by_name.get((clinic.id, key))
        if found is None:
            found = await specialties.make(clinic.id, name, is_active=yes(row["is_active"]))
            counts.imported += 1
            run.repaired(table, row["id"], notes)
        elif found in specialties.made:
            counts.merged += 1
            run.repaired(table, row["id"], [MERGED])
        else:
            counts.present += 1
        run.memory.add(table, row["id"], f"{clinic.id}/{key}", found)
        run.specialties[row["id"]] = (clinic.id, found)
    run.advance(len(rows))


async def bring_surgeries(run: Run, specialties: Specialties) -> None:
    table = "surgery"
    rows = await run.source.all(table)
    names_there = {row["id"]: text(row["name"]) for row in await run.source.all("specialty")}
    counts = run.report.of(table)
    await run.fold.learn(text(row["name"]) for row in rows)
    there = await run.target.fetch(
        "SELECT id, clinic_id, name, lower(name) AS key, base_stay_hours AS hours FROM surgery"
    )
    run.surgeries_by_name = {
        (row["clinic_id"], row["key"]): SurgeryHere(row["id"], row["clinic_id"], row["name"], row["hours"])
        for row in there
    }
    by_id = {surgery.id: surgery for surgery in run.surgeries_by_name.values()}
    new = Newcomers(
        run.target,
        table,
        "clinic_id name specialty_id base_stay_hours applies_ticket_home is_ambulatory ambulatory_cutoff_hour"
        " is_active",
    )
    made = set()
    for row in rows:
        counts.read += 1
        clinic = run.clinics.get(row["clinic_id"])
        if clinic is None:
            run.report.refused(table, row["id"], NO_CLINIC)
            continue
        notes: list[str] = []
        name = named(row["name"], row["id"], 200, notes)
        key = run.fold(name)
        hours = within(row["base_stay_hours"], *HOURS)
        known = run.memory.row(table, row["id"], f"{clinic.id}/{key}")
        found = by_id.get(known) if known is not None else run.surgeries_by_name.get((clinic.id, key))
        if found is not None and found.id in made and hours != found.hours:
            # They are two: of one, tickets would be calculated with the other's hours.
            notes.append("a name that another surgery with other hours has: got a number")
            name = f"{name[:180]} ({row['id']})"
            found = None
        if found is not None:
            if found.id in made:
                counts.merged += 1
                run.repaired(table, row["id"], [MERGED])
            else:
                counts.present += 1
                if known is None and hours != found.hours:
                    run.report.kept(table, row["id"], "has other hours here: left as it is here")
        else:
            is_active = yes(row["is_active"])
            if hours is None:
                given = whole(row["base_stay_hours"])
                hours = DEFAULT_HOURS if given is None else min(max(given, HOURS[0]), HOURS[1])
                notes.append("base hours out of 1 to 2160: the nearest, and inactive until somebody looks at it")
                is_active = False
            cutoff = within(row["ambulatory_cutoff_hour"], 0, 23)
            if cutoff is None and row["ambulatory_cutoff_hour"] is not None:
                notes.append("a cut-off hour out of 0 to 23: none here")
            at, specialty_id = run.specialties.get(row["specialty_id"], (None, None))
            if at != clinic.id or specialty_id is None:
                notes.append("a specialty that its clinic lacks: linked to that of its name, else made, inactive")
                called = names_there.get(row["specialty_id"]) or NO_SPECIALTY
                specialty_id, _ = await specialties.called(clinic.id, called[:120])
            applies = row["applies_ticket_home"]
            surgery_id = await new.add(
                *(clinic.id, name, specialty_id, hours, applies is None or yes(applies), yes(row["is_ambulatory"])),
                *(cutoff, is_active),
            )
            found = by_id[surgery_id] = SurgeryHere(surgery_id, clinic.id, name, hours)
            run.surgeries_by_name[clinic.id, run.fold(name)] = found
            made.add(surgery_id)
            counts.imported += 1
            run.repaired(table, row["id"], notes)
        run.memory.add(table, row["id"], f"{clinic.id}/{key}", found.id)
        run.surgeries[row["id"]] = found
    await specialties.new.store()
    await new.store()
    run.advance(len(rows))


async def bring_reasons(run: Run) -> None:
    table = "standardized_reason"
    rows = await run.source.all(table)
    counts = run.report.of(table)
    await run.fold.learn(text(row["reason"]) for row in rows)
    there = await run.target.fetch("SELECT id, clinic_id, category, lower(reason) AS key FROM standardized_reason")
    by_text = {(row["clinic_id"], row["category"], row["key"]): row["id"] for row in there}
    new = Newcomers(run.target, table, "clinic_id reason category is_active")
    made = set()
    for row in rows:
        counts.read += 1
        clinic = run.clinics.get(row["clinic_id"])
        if clinic is None:
            run.report.refused(table, row["id"], NO_CLINIC)
            continue
        notes: list[str] = []
        reason = named(row["reason"], row["id"], 500, notes)
        category, is_active = category_of(row["category"]), yes(row["is_active"])
        if category is None:
            notes.append("an unknown category: an inactive reason of modifications")
            category, is_active = "modification", False
        key = (clinic.id, category, run.fold(reason))
        remembered = f"{clinic.id}/{category}/{key[2]}"
        found = run.memory.row(table, row["id"], remembered) or by_text.get(key)
        if found is None:
            found = by_text[key] = await new.add(clinic.id, reason, category, is_active)
            made.add(found)
            counts.imported += 1
            run.repaired(table, row["id"], notes)
        elif found in made:
            counts.merged += 1
            run.repaired(table, row["id"], [MERGED])
        else:
            counts.present += 1
        run.memory.add(table, row["id"], remembered, found)
        run.reasons[row["id"]] = found
    await new.store()
    # Of a text that stands in several categories, a modification's reason is that of modifications.
    for category in ("initial", "annulment", "modification"):
        run.modification_reasons |= {
            (clinic_id, key): reason_id for (clinic_id, of, key), reason_id in by_text.items() if of == category
        }
    run.advance(len(rows))
