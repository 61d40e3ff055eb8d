"""Tables of the catalogs."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column

from core.db.base import Base, Id


class Specialty(Base):
    __tablename__ = "specialty"
    __table_args__ = (
        UniqueConstraint("clinic_id", "id"),
        CheckConstraint("length(btrim(name)) > 0", name="name"),
    )

    id: Mapped[Id]
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    name: Mapped[str] = mapped_column(String(120))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))


class Surgery(Base):
    __tablename__ = "surgery"
    __table_args__ = (
        UniqueConstraint("clinic_id", "id"),
        ForeignKeyConstraint(["clinic_id", "specialty_id"], ["specialty.clinic_id", "specialty.id"]),
        CheckConstraint("length(btrim(name)) > 0", name="name"),
        CheckConstraint("base_stay_hours between 1 and 2160", name="base_stay_hours"),
        CheckConstraint("ambulatory_cutoff_hour between 0 and 23", name="ambulatory_cutoff_hour"),
    )

    id: Mapped[Id]
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    name: Mapped[str] = mapped_column(String(200))
    specialty_id: Mapped[int] = mapped_column(index=True)
    base_stay_hours: Mapped[int]
    applies_ticket_home: Mapped[bool] = mapped_column(server_default=text("true"))
    is_ambulatory: Mapped[bool] = mapped_column(server_default=text("false"))
    ambulatory_cutoff_hour: Mapped[int | None] = mapped_column(SmallInteger)
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    specialty_name: Mapped[str] = column_property(
        select(Specialty.name).where(Specialty.id == specialty_id).correlate_except(Specialty).scalar_subquery()
    )
    """Also of one that is out of use, which the list of specialties leaves out."""


class Doctor(Base):
    __tablename__ = "doctor"
    __table_args__ = (
        UniqueConstraint("clinic_id", "id"),
        ForeignKeyConstraint(["clinic_id", "specialty_id"], ["specialty.clinic_id", "specialty.id"]),
        CheckConstraint("length(btrim(name)) > 0", name="name"),
    )

    id: Mapped[Id]
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    name: Mapped[str] = mapped_column(String(200))
    specialty_id: Mapped[int | None] = mapped_column(index=True)
    rut: Mapped[str | None] = mapped_column(String(12))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    specialty_name: Mapped[str | None] = column_property(
        select(Specialty.name).where(Specialty.id == specialty_id).correlate_except(Specialty).scalar_subquery()
    )


class StandardizedReason(Base):
    __tablename__ = "standardized_reason"
    __table_args__ = (
        UniqueConstraint("clinic_id", "id"),
        CheckConstraint("category in ('modification', 'annulment', 'delay', 'initial')", name="category"),
        CheckConstraint("length(btrim(reason)) > 0", name="reason"),
    )

    id: Mapped[Id]
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    reason: Mapped[str] = mapped_column(String(500))
    category: Mapped[str] = mapped_column(String(12))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))


class UrgencyThreshold(Base):
    """Hours left to the FPA. One row per clinic at most, and the global one (`clinic_id` null)."""

    __tablename__ = "urgency_threshold"
    __table_args__ = (
        UniqueConstraint("clinic_id", postgresql_nulls_not_distinct=True),
        CheckConstraint(
            "1 <= red_hours and red_hours < yellow_hours and yellow_hours < green_hours and green_hours <= 72",
            name="order",
        ),
    )

    id: Mapped[Id]
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.id"))
    red_hours: Mapped[int] = mapped_column(SmallInteger)
    yellow_hours: Mapped[int] = mapped_column(SmallInteger)
    green_hours: Mapped[int] = mapped_column(SmallInteger)
    updated_at: Mapped[datetime | None]
    """When somebody set them; None: nobody did, or nobody wrote it down."""
    updated_by: Mapped[str | None] = mapped_column(String(80))


Index("uq_specialty_clinic_id_lower_name", Specialty.clinic_id, func.lower(Specialty.name), unique=True)
Index("uq_surgery_clinic_id_lower_name", Surgery.clinic_id, func.lower(Surgery.name), unique=True)
Index("ix_doctor_clinic_id_name", Doctor.clinic_id, Doctor.name)
Index(
    "uq_standardized_reason_clinic_id_category_lower_reason",
    StandardizedReason.clinic_id,
    StandardizedReason.category,
    func.lower(StandardizedReason.reason),
    unique=True,
)
