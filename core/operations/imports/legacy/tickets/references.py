"""A ticket's row with what it refers to here: its patient, surgery and doctor, and who made and annulled it."""

import asyncpg

from core.operations.imports.legacy.context import ClinicHere, Run, SurgeryHere, alike
from core.operations.imports.legacy.tickets.row import MadeTicket, ticket_row
from core.operations.imports.legacy.values import UNKNOWN, text

LONGEST_NAME = 80


def ticket_of(run: Run, row: asyncpg.Record, clinic: ClinicHere) -> MadeTicket:
    """The ticket that the row becomes, but for its number. Raises Refused for a row that cannot be a ticket here."""
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
    return run.surgeries_by_name.get((clinic.id, alike(name))) if name else None


def _doctor(run: Run, row: asyncpg.Record, clinic: ClinicHere, made: MadeTicket) -> int | None:
    at, doctor_id = run.doctors.get(row["doctor_id"], (None, None))
    if at == clinic.id:
        return doctor_id
    if row["doctor_id"] is None:
        return None
    doctor_id = run.doctors_by_name.get((clinic.id, run.doctor_names.get(row["doctor_id"], "")))
    made.notes.append("a doctor that its clinic lacks: the clinic's own of that name, or none")
    return doctor_id
