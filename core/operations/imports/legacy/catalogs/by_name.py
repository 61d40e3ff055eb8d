"""Specialties and reasons: by clinic and name, which are unique here and were not there."""

from dataclasses import dataclass, field

from core.operations.imports.legacy.context import Newcomers, Run, alike
from core.operations.imports.legacy.values import MERGED, category_of, named, yes

NO_CLINIC = "of no clinic"
REASONS = "SELECT id, clinic_id, category, folded_text(reason) AS key FROM standardized_reason"


@dataclass(slots=True)
class Specialties:
    """The target's, by clinic and folded name, with those that are on their way."""

    run: Run
    new: Newcomers
    by_name: dict[tuple[int, str], int]
    made: set[int] = field(default_factory=set)

    @classmethod
    async def of(cls, run: Run) -> "Specialties":
        """As the target has them when the run begins."""
        there = await run.target.fetch("SELECT id, clinic_id, folded_text(name) AS key FROM specialty")
        new = Newcomers(run.target, "specialty", "clinic_id name is_active")
        return cls(run, new, {(row["clinic_id"], row["key"]): row["id"] for row in there})

    async def make(self, clinic_id: int, name: str, *, is_active: bool) -> int:
        """The id of a new one, which is stored with the others later."""
        made = await self.new.add(clinic_id, name, is_active)
        self.by_name[clinic_id, alike(name)] = made
        self.made.add(made)
        return made

    async def called(self, clinic_id: int, name: str) -> tuple[int, bool]:
        """(id of the clinic's specialty of that name, whether it had to be made; it is inactive then)"""
        found = self.by_name.get((clinic_id, alike(name)))
        return (found, False) if found is not None else (await self.make(clinic_id, name, is_active=False), True)


async def bring_specialties(run: Run, specialties: Specialties) -> None:
    """Specialties, found again by clinic and name. Counts and findings go to `run.report`; `run.specialties` is by
    their ids there."""
    table = "specialty"
    rows = await run.source.all(table)
    counts = run.report.of(table)
    for row in rows:
        counts.read += 1
        clinic = run.clinics.get(row["clinic_id"])
        if clinic is None:
            run.report.refused(table, row["id"], NO_CLINIC)
            continue
        notes: list[str] = []
        name = named(row["name"], row["id"], 120, notes)
        key = alike(name)
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


async def bring_reasons(run: Run) -> None:
    """Standardized reasons, found again by clinic, category and text. Counts and findings go to `run.report`;
    `run.reasons` is by their ids there."""
    table = "standardized_reason"
    rows = await run.source.all(table)
    counts = run.report.of(table)
    there = await run.target.fetch(
        "SELECT id, clinic_id, category, folded_text(reason) AS key FROM standardized_reason"
    )
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
        key = (clinic.id, category, alike(reason))
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
        run.reason_clinics[row["id"]] = clinic.id
    await new.store()
    # Of a text that stands in several categories, a modification's reason is that of modifications.
    for category in ("initial", "annulment", "modification"):
        run.modification_reasons |= {
            (clinic_id, key): reason_id for (clinic_id, of, key), reason_id in by_text.items() if of == category
        }
    run.advance(len(rows))
