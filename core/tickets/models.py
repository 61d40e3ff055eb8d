"""Tables of tickets, their modifications and their numbers."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
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


class Status(StrEnum):
    ACTIVE = "active"
    DISCHARGED = "discharged"
    ANNULLED = "annulled"


SURGERY_ORDERED = 400
"""Letters of a surgery's name by which a list is ordered: more than the longest has with an ñ for each letter, and what
an index can hold."""


class Ticket(Base):
    """One stay. Its foreign keys carry the clinic, so that not even SQL can point it at another clinic's surgery."""

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("clinic_id", "id"),
        UniqueConstraint("clinic_id", "year", "number"),
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"]),
        ForeignKeyConstraint(["clinic_id", "surgery_id"], ["surgery.clinic_id", "surgery.id"]),
        ForeignKeyConstraint(["clinic_id", "doctor_id"], ["doctor.clinic_id", "doctor.id"]),
        CheckConstraint("status in ('active', 'discharged', 'annulled')", name="status"),
        CheckConstraint("(status = 'discharged') = (discharged_at is not null)", name="discharged"),
        CheckConstraint("(status = 'annulled') = (annulled_at is not null)", name="annulled"),
        CheckConstraint("imported or (patient_id is not null and surgery_id is not null)", name="imported"),
        CheckConstraint("imported or discharged_at >= admission_at", name="discharge_after_admission"),
        CheckConstraint(
            "imported or (admission_at <= surgery_at and current_fpa >= admission_at and system_fpa >= admission_at)",
            name="times",
        ),
        CheckConstraint(
            "(ready_at is null) = (ready_by is null) and (imported or ready_at >= admission_at)", name="ready"
        ),
        CheckConstraint("overnight_stays >= 0 and initial_overnight_stays >= 0", name="overnight_stays"),
        CheckConstraint("surgery_base_hours between 1 and 2160", name="surgery_base_hours"),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("number >= 1", name="number"),
        Index("ix_ticket_clinic_id_created_at", "clinic_id", "created_at", "id"),
        Index("ix_ticket_clinic_id_current_fpa", "clinic_id", "current_fpa", "id"),
        Index(
            "ix_ticket_created_by_id",
            "created_by_id",
            "created_at",
            "id",
            postgresql_where=text("created_by_id IS NOT NULL"),
        ),
        Index("ix_ticket_without_patient", "clinic_id", "id", postgresql_where=text("patient_id IS NULL")),
        Index("ix_ticket_active", "clinic_id", "current_fpa", postgresql_where=text("status = 'active'")),
        Index("ix_ticket_active_long_stay_at", "clinic_id", "long_stay_at", postgresql_where=text("status = 'active'")),
        Index(
            "ix_ticket_active_ready_at",
            "clinic_id",
            "ready_at",
            postgresql_where=text("status = 'active' AND ready_at IS NOT NULL"),
        ),
        Index("ix_ticket_clinic_id_surgery_id_created_at", "clinic_id", "surgery_id", "created_at"),
        Index(
            "ix_ticket_discharged",
            *("clinic_id", "discharged_at"),
            # The dashboard's flow is read from it alone.
            postgresql_include=[
                *(
                    "id",
                    "discharge_assumed",
                    "created_at",
                    "surgery_id",
                    "admission_at",
                    "surgery_base_hours",
                    "ready_at",
                ),
            ],
            postgresql_where=text("discharged_at IS NOT NULL"),
        ),
        # Who may have left on time, and a doctor's: few, perhaps, of very many.
        Index(
            "ix_ticket_about_on_time",
            "clinic_id",
            postgresql_where=text("NOT discharge_assumed AND discharged_at - current_fpa <= interval '30 minutes'"),
        ),
        Index("ix_ticket_clinic_id_doctor_id", "clinic_id", "doctor_id"),
        Index("ix_ticket_patient_id", "patient_id"),
        # What an active ticket may have for itself: core/tickets/change/stays.py asks for it.
        *(
            Index(
                f"ix_ticket_active_{name}",
                "clinic_id",
                text(f"folded_text({name})"),
                postgresql_where=text(f"status = 'active' AND {name} IS NOT NULL"),
            )
            for name in ("episode_id", "bed_number")
        ),
        Index("ix_ticket_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
        Index("ix_ticket_other_letters", "clinic_id", postgresql_where=text(f"search ~ {OTHER_LETTERS}")),
        # A clinic whose rollups are in doubt is counted from this index alone.
        Index(
            "ix_ticket_figures",
            "clinic_id",
            "status",
            "current_fpa",
            postgresql_include=["created_at", "discharged_at", "discharge_assumed", "surgery_id", "doctor_id"],
        ),
    )

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    """TH-<PREFIX>-<YEAR>-<NNN>"""
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    patient_id: Mapped[int | None]
    surgery_id: Mapped[int | None]
    doctor_id: Mapped[int | None]
    surgery_name: Mapped[str] = mapped_column(String(200))
    """Snapshot of the surgery's name, as it was when the ticket was made or its surgery last changed."""
    surgery_base_hours: Mapped[int]
    surgery_at: Mapped[datetime]
    admission_at: Mapped[datetime]
    system_fpa: Mapped[datetime]
    initial_fpa: Mapped[datetime]
    current_fpa: Mapped[datetime]
    overnight_stays: Mapped[int]
    initial_overnight_stays: Mapped[int]
    bed_number: Mapped[str | None] = mapped_column(String(10))
    location: Mapped[str | None] = mapped_column(String(50))
    episode_id: Mapped[str | None] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(10), server_default=text("'active'"))
    ready_at: Mapped[datetime | None]
    """Since when the criteria for discharge are met; a trigger keeps it from being after the discharge."""
    ready_by: Mapped[str | None] = mapped_column(String(80))
    long_stay_at: Mapped[datetime | None]
    """From when on the stay is a long one: after twice the base hours since admission. A trigger keeps it; null where a
    stay was over before migration 0025, and not written since."""
    discharged_at: Mapped[datetime | None]
    discharge_assumed: Mapped[bool] = mapped_column(server_default=text("false"))
    """Nobody recorded the discharge: an import, or who tidied up after days, took it to be at the FPA. Left out of
    figures of punctuality."""
    end_recorded_at: Mapped[datetime | None]
    """When its discharge or annulment was written, which may be long after it: kept by a trigger, whoever writes. Null
    where that was before migration 0024, and of what came as it was: imported, or made for a demo."""
    annulled_at: Mapped[datetime | None]
    annulled_by: Mapped[str | None] = mapped_column(String(80))
    annulment_reason: Mapped[str | None] = mapped_column(String(500))
    imported: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[CreatedAt]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    created_by: Mapped[str] = mapped_column(String(80))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    search: Mapped[str] = mapped_column(
        Text, Computed("ticket_search(id, bed_number, location, episode_id)", persisted=True), deferred=True
    )
    """What a search finds the ticket by, beside its patient: without accents, in lower case (migration 0006)."""
    surgery_key: Mapped[str] = mapped_column(
        Text(collation="C"), Computed("search_text(surgery_name)", persisted=True), deferred=True
    )
    """By which the release before migration 0016 orders; nobody else reads it."""
    surgery_order: Mapped[str] = mapped_column(
        Text(collation="C"), Computed("spanish_order(surgery_name)", persisted=True), deferred=True
    )
    """By which a list is ordered by surgery: in Spanish order."""


def ended_at() -> ColumnElement[datetime]:
    """SQL: when it was written that the stay ended, as far as that is known; null while it lasts."""
    return func.coalesce(Ticket.end_recorded_at, Ticket.annulled_at, Ticket.discharged_at)


# Not limited to those that ended: of a partial index's expression the planner has no statistics.
Index("ix_ticket_ended", Ticket.clinic_id, ended_at())
# The release before migration 0024 reads its board by it; nobody else does.
Index(
    "ix_ticket_board",
    Ticket.clinic_id,
    func.coalesce(Ticket.annulled_at, Ticket.discharged_at, Ticket.current_fpa),
)
Index(
    "ix_ticket_clinic_id_surgery_order",
    Ticket.clinic_id,
    func.left(Ticket.surgery_order, text(f"{SURGERY_ORDERED}")),
    Ticket.id,
)


class FpaModification(Base):
    __tablename__ = "fpa_modification"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "ticket_id"], ["ticket.clinic_id", "ticket.id"], ondelete="CASCADE", onupdate="CASCADE"
        ),
        ForeignKeyConstraint(["clinic_id", "reason_id"], ["standardized_reason.clinic_id", "standardized_reason.id"]),
        Index("ix_fpa_modification_ticket", "clinic_id", "ticket_id", "id"),
    )

    id: Mapped[Id]
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    ticket_id: Mapped[str] = mapped_column(String(30))
    previous_fpa: Mapped[datetime]
    new_fpa: Mapped[datetime]
    reason_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(500))
    """The reason's text as it was: a catalog's later change does not rewrite history."""
    justification: Mapped[str | None] = mapped_column(String(1000))
    modified_at: Mapped[CreatedAt]
    modified_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    modified_by: Mapped[str] = mapped_column(String(80))


class Delay(Base):
    """Why a patient who is ready or overdue is still here. It ended at `ended_at`, or else with the discharge; until
    then it is open, once for each reason."""

    __tablename__ = "delay"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "ticket_id"], ["ticket.clinic_id", "ticket.id"], ondelete="CASCADE", onupdate="CASCADE"
        ),
        ForeignKeyConstraint(["clinic_id", "reason_id"], ["standardized_reason.clinic_id", "standardized_reason.id"]),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        CheckConstraint("ended_at >= set_at", name="order"),
        Index("ix_delay_ticket", "clinic_id", "ticket_id", "id"),
        Index("ix_delay_clinic_id_set_at", "clinic_id", "set_at"),
        Index(
            "uq_delay_open",
            *("clinic_id", "ticket_id", "reason_id"),
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    ticket_id: Mapped[str] = mapped_column(String(30))
    reason_id: Mapped[int]
    reason: Mapped[str] = mapped_column(String(500))
    """The reason's text as it was."""
    note: Mapped[str | None] = mapped_column(String(1000))
    set_at: Mapped[CreatedAt]
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    set_by: Mapped[str] = mapped_column(String(80))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(80))


class TicketCounter(Base):
    """The last number given, per clinic and clinic-local year: a row to lock, not a `max(id)` to race on."""

    __tablename__ = "ticket_counter"

    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    last_number: Mapped[int]
