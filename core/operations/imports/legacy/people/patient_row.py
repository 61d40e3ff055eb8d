"""A patient's row from the old application's, as far as the row alone says it."""

import asyncpg

from core.operations.imports.legacy.people.documents import Fields
from core.operations.imports.legacy.values import UNKNOWN, fitting, sex_of, text, whole, within
from core.patients.document import Document

COLUMNS = [
    *("id", "clinic_id", "document_type", "document", "verified", "first_name", "middle_name", "last_name"),
    *("second_last_name", "age", "sex"),
]


def patient_fields(row: asyncpg.Record, clinic_id: int, document: Document, notes: list[str]) -> Fields:
    """By column, in the order of COLUMNS without the id."""
    first, middle, last, second = (
        fitting(row[name], 80, notes.append)
        for name in ("primer_nombre", "segundo_nombre", "apellido_paterno", "apellido_materno")
    )
    if first is None or last is None:
        notes.append("without a name or a surname: unknown")
    age = within(row["age"], 0, 150)
    if age is None and row["age"] is not None:
        notes.append("an age out of 0 to 150: none here" if whole(row["age"]) is not None else "an age that is none")
    sex = sex_of(row["sex"])
    if sex is None and text(row["sex"]) is not None:
        notes.append("a sex that is none of those known: none here")
    values = (
        *(clinic_id, document.type.value, document.text, document.verified),
        *(first or UNKNOWN, middle, last or UNKNOWN, second, age, sex),
    )
    return dict(zip(COLUMNS[1:], values, strict=True))
