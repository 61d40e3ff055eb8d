"""Doctors: by clinic and RUT or name. Their specialty was a text there, and is a row here."""

from core.operations.imports.legacy.catalogs.by_name import NO_CLINIC, Specialties
from core.operations.imports.legacy.context import Newcomers, Run, alike
from core.operations.imports.legacy.values import fitting, named, text, yes
from core.patients.document import identifies_nobody
from core.rut import normal_rut

TABLE = "doctor"
LONGEST_RUT = 12


async def bring_doctors(run: Run, specialties: Specialties) -> None:
    """Doctors, found again by clinic and RUT, or name. Counts and findings go to `run.report`; `run.doctors` is by
    their ids there."""
    rows = await run.source.all(TABLE)
    counts = run.report.of(TABLE)
    there = await run.target.fetch("SELECT id, clinic_id, folded_text(name) AS key, rut FROM doctor ORDER BY id DESC")
    by_name = {(row["clinic_id"], row["key"]): row for row in there}
    by_rut = {(row["clinic_id"], row["rut"]): row["id"] for row in there if row["rut"] is not None}
    new = Newcomers(run.target, TABLE, "clinic_id name specialty_id rut is_active")
    claimed: set[int] = set()
    for row in rows:
        counts.read += 1
        clinic = run.clinics.get(row["clinic_id"])
        if clinic is None:
            run.report.refused(TABLE, row["id"], NO_CLINIC)
            continue
        notes: list[str] = []
        name = named(row["name"], row["id"], 200, notes)
        key = alike(name)
        rut, flaw = _rut(row["rut"])
        found = run.memory.row(TABLE, row["id"], f"{clinic.id}/{key}")
        if found is None:
            # Two of one name are two people, unless their RUT says otherwise: each is another row of the target.
            same = None if rut is None or flaw else by_rut.get((clinic.id, rut))
            namesake = by_name.get((clinic.id, key))
            if same is None and namesake is not None and namesake["rut"] in (None, rut):
                same = namesake["id"]
            found = None if same in claimed else same
        if found is None:
            specialty_id = None
            called = fitting(row["specialty"], 120, notes.append)
            if called is not None:
                specialty_id, made = await specialties.called(clinic.id, called)
                if made:
                    notes.append("a specialty that the catalog lacks: made, inactive")
            found = await new.add(clinic.id, name, specialty_id, rut, yes(row["is_active"]))
            counts.imported += 1
            run.repaired(TABLE, row["id"], notes)
            if flaw:
                run.report.kept(TABLE, row["id"], flaw)
        else:
            counts.present += 1
        claimed.add(found)
        run.memory.add(TABLE, row["id"], f"{clinic.id}/{key}", found)
        run.doctors[row["id"]] = (clinic.id, found)
        run.doctor_names[row["id"]] = key
        run.doctors_by_name.setdefault((clinic.id, key), found)
    await specialties.new.store()
    await new.store()
    run.advance(len(rows))


def _rut(value: object) -> tuple[str | None, str | None]:
    """In normal form, or as it is with what is wrong with it."""
    written = text(value)
    if written is None:
        return None, None
    if identifies_nobody("rut", written):
        return None, "a RUT that identifies nobody: left out"
    normal = normal_rut(written)
    if normal is not None and len(normal) <= LONGEST_RUT:
        return normal, None
    if len(written) > LONGEST_RUT:
        return None, "a RUT that is none, and too long: left out"
    return written, "a RUT that fails its check"
