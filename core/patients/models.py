from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db.base import Base, CreatedAt, Id


class Patient(Base):
    """Unique by (clinic, document type, document): one person may exist in two clinics, apart."""

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("clinic_id", "id"),
        UniqueConstraint("clinic_id", "document_type", "document"),
        CheckConstraint("document_type in ('rut', 'passport', 'other')", name="document_type"),
        CheckConstraint("length(btrim(document)) > 0", name="document"),
        CheckConstraint("age between 0 and 150", name="age"),
        CheckConstraint("sex in ('F', 'M', 'X')", name="sex"),
        Index("ix_patient_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
    )

    id: Mapped[Id]
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    document_type: Mapped[str] = mapped_column(String(8))
    document: Mapped[str] = mapped_column(String(40))
    verified: Mapped[bool] = mapped_column(server_default=text("true"))
    """False for an imported RUT whose verifier digit is wrong; true for what needs no check."""
    first_name: Mapped[str] = mapped_column(String(80))
    middle_name: Mapped[str | None] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    second_last_name: Mapped[str | None] = mapped_column(String(80))
    age: Mapped[int | None] = mapped_column(SmallInteger)
    sex: Mapped[str | None] = mapped_column(String(1))
    created_at: Mapped[CreatedAt]
    search: Mapped[str] = mapped_column(
        Text(collation="C"),
        Computed("patient_search(first_name, middle_name, last_name, second_last_name, document)", persisted=True),
        deferred=True,
    )
    """What a search finds the patient by, and by which a list is ordered: surnames first (migration 0006)."""
