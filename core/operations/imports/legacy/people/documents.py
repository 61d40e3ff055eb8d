"""Finding the patient of a document: two rows are one patient only where it is verified and their names agree."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from core.operations.imports.legacy.values import UNKNOWN, fitting, text
from core.patients.document import LONGEST, Document, DocumentType, parse
from core.patients.same_person import is_same_person

DocumentKey = tuple[int, str, str]
"""Clinic here, document's type, document."""
Fields = Mapping[str, Any]
"""Of a patient, by column."""
NAMES = ("first_name", "middle_name", "last_name", "second_last_name")


@dataclass(slots=True)
class People:
    """Patients of the target and of this run, by their document: one, or several whose names differ."""

    by_key: dict[DocumentKey, list[tuple[int, Fields]]] = field(default_factory=lambda: defaultdict(list))

    def learn(self, rows: list[asyncpg.Record]) -> None:
        """Take in patients of the target, by their columns; one that is known already is passed over."""
        for row in rows:
            key = (row["clinic_id"], row["document_type"], row["document"])
            if row["id"] not in [known for known, _ in self.by_key[key]]:
                self.by_key[key].append((row["id"], dict(row)))

    def find(self, key: DocumentKey, given: Fields) -> int | None:
        """The id of the patient who has this document, and whose names may be those `given`; None: there is none."""
        wanted = said(given)
        return next((known for known, there in self.by_key[key] if is_same_person(said(there), wanted)), None)

    def others(self, key: DocumentKey) -> list[tuple[int, Fields]]:
        """(id, columns) of all who have this document."""
        return self.by_key[key]

    def add(self, key: DocumentKey, patient_id: int, given: Fields) -> None:
        """Take in a patient of this run."""
        self.by_key[key].append((patient_id, given))


def named(given: Fields) -> str:
    """All names in a line, for the operator's terminal alone."""
    return " ".join(str(given[name]) for name in NAMES if given[name])


def said(given: Fields) -> dict[str, Any]:
    """The fields as `is_same_person` takes them: a name that the import made up for an unknown one is None."""
    return {name: None if value == UNKNOWN else value for name, value in given.items()}


def document_of(row: asyncpg.Record, notes: list[str]) -> Document:
    """The row's document, in the normal form by which the API finds patients. `notes` gets what was made up."""
    written = text(row["rut"])
    if written is None:
        notes.append("without a RUT: got a document of another kind")
        return Document(DocumentType.OTHER, f"LEGACY-{row['id']}", verified=False)
    return parse(DocumentType.RUT, fitting(written, LONGEST, notes.append) or written[:LONGEST], "document")
