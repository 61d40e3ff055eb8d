"""The table of patients."""

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Computed,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db.base import Base, CreatedAt, Id
from core.db.other_letters import OTHER_LETTERS

NAME_ORDERED = 600
"""Letters of a patient's names by which a list is ordered: what an index can hold, whatever they are."""


class Patient(Base):
    """One for each document that identifies somebody (`verified`), in each clinic: a person may exist in two, apart.

    What identifies nobody is many patients' (`RN`): migration 0011 says how they stand beside each other.
    """

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("clinic_id", "id"),
        UniqueConstraint("clinic_id", "document_type", "document"),
        CheckConstraint("document_type in ('rut', 'passport', 'other')", name="document_type"),
        CheckConstraint("length(btrim(document)) > 0", name="document"),
        CheckConstraint("age between 0 and 150", name="age"),
        CheckConstraint("sex in ('F', 'M', 'X')", name="sex"),
        Index("ix_patient_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
        Index("ix_patient_other_letters", "clinic_id", postgresql_where=text(f"search ~ {OTHER_LETTERS}")),
    )

    id: Mapped[Id]
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    document_type: Mapped[str] = mapped_column(String(8))
    document: Mapped[str] = mapped_column(String(40))
    verified: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether a patient is found by it. False for what identifies nobody, for an imported RUT whose verifier digit is
    wrong, and for a second row of a document."""
    document_typed: Mapped[str | None] = mapped_column(String(40))
    """What was typed, where `document` had to be made different from another row's by a trigger."""
    first_name: Mapped[str] = mapped_column(String(80))
    middle_name: Mapped[str | None] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    second_last_name: Mapped[str | None] = mapped_column(String(80))
    age: Mapped[int | None] = mapped_column(SmallInteger)
    sex: Mapped[str | None] = mapped_column(String(1))
    created_at: Mapped[CreatedAt]
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    """+1 on every change of what clients see of the patient, by a trigger."""
    search: Mapped[str] = mapped_column(
        Text(collation="C"),
        Computed(
            "patient_search(first_name, middle_name, last_name, second_last_name, coalesce(document_typed, document))",
            persisted=True,
        ),
        deferred=True,
    )
    """What a search finds the patient by (migration 0012)."""
    name_order: Mapped[str] = mapped_column(
        Text(collation="C"),
        Computed(
            "patient_order(first_name, middle_name, last_name, second_last_name, coalesce(document_typed, document))",
            persisted=True,
        ),
        deferred=True,
    )
    """By which a list is ordered: surnames first, in Spanish order (migration 0016)."""

    @property
    def shown_document(self) -> str:
        return self.document_typed or self.document


Index(
    "ix_patient_clinic_id_name_order",
    Patient.clinic_id,
    func.left(Patient.name_order, text(f"{NAME_ORDERED}")),
)


def shown_document() -> ColumnElement[str]:
    return func.coalesce(Patient.document_typed, Patient.document)
