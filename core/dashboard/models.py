"""The rollups' tables. Triggers and the functions of migrations 0019 and 0029 alone write them
(docs/design/rollups.md).

None refers to others: a restore brings tables in any order. Surgery and doctor 0 stand for none, and in the rollups
surgery 0 for all of them together.
"""

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db.base import Base, BigId


class _Amounts:
    total: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    active: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Not over; how many of them are overdue the clock says."""
    discharged: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    annulled: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    timed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Discharged at a time that somebody recorded."""
    on_time: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    delay_microseconds: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Discharge − FPA, of the timed."""
    modifications: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    modified_tickets: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """With at least one modification."""


class _Flow:
    """Of those who left at a time that somebody recorded, by the day on which they did."""

    gone: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    early: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Before noon."""
    stay_thousandths: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Stay ÷ base hours, of each in whole thousandths."""
    waited: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Ready before they left."""
    wait_microseconds: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class RollupChange(_Amounts, _Flow, Base):
    """By how much a transaction changed a day's counts; nobody changes a row, and merging deletes it."""

    __tablename__ = "rollup_change"

    id: Mapped[BigId]
    clinic_id: Mapped[int] = mapped_column(index=True)
    timezone: Mapped[str] = mapped_column(String(64))
    """In which `day` is that day."""
    day: Mapped[date]
    """Clinic-local, of the ticket's creation."""
    left_day: Mapped[date | None]
    """Of its discharge, where that is recorded."""
    surgery_id: Mapped[int]
    doctor_id: Mapped[int] = mapped_column(server_default=text("0"))
    """Of modifications."""


class TicketRollup(_Amounts, Base):
    """The counts of a span, RollupChange's left out."""

    __tablename__ = "ticket_rollup"

    clinic_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    span: Mapped[str] = mapped_column(String(5), primary_key=True)
    """day, month, year, all"""
    starts: Mapped[date] = mapped_column(primary_key=True)
    """Its first day; of `all` minus infinity."""
    surgery_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class DoctorRollup(Base):
    """Modifications by the ticket's doctor; days are in ModifiedTicket."""

    __tablename__ = "doctor_rollup"

    clinic_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    span: Mapped[str] = mapped_column(String(5), primary_key=True)
    surgery_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    starts: Mapped[date] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    modifications: Mapped[int] = mapped_column(BigInteger)


class ModifiedTicket(Base):
    """A modified ticket as it was last counted: where, and how many modifications."""

    __tablename__ = "modified_ticket"
    __table_args__ = (Index("ix_modified_ticket_clinic_id_day", "clinic_id", "day"),)

    ticket_id: Mapped[str] = mapped_column(String(30), primary_key=True)
    clinic_id: Mapped[int]
    day: Mapped[date]
    surgery_id: Mapped[int]
    doctor_id: Mapped[int]
    modifications: Mapped[int]


class FlowRollup(_Flow, Base):
    """The counts of a day on which tickets left: of all of them, and by the day of their creation."""

    __tablename__ = "flow_rollup"

    clinic_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    surgery_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    span: Mapped[str] = mapped_column(String(5), primary_key=True)
    """all, and of all surgeries together (0) also day"""
    left_day: Mapped[date] = mapped_column(primary_key=True)
    starts: Mapped[date] = mapped_column(primary_key=True)
    """The day of creation; of `all` minus infinity."""


class DelayedTicket(Base):
    """A ticket that left, and for how many minutes a reason held it up, as it was last counted."""

    __tablename__ = "delayed_ticket"
    __table_args__ = (Index("ix_delayed_ticket_clinic_id_left_day", "clinic_id", "left_day"),)

    ticket_id: Mapped[str] = mapped_column(String(30), primary_key=True)
    reason_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    clinic_id: Mapped[int]
    left_day: Mapped[date]
    day: Mapped[date]
    surgery_id: Mapped[int]
    minutes: Mapped[int] = mapped_column(BigInteger)


class RolledClinic(Base):
    """On which timeline and in which zone a clinic's tickets were counted."""

    __tablename__ = "rolled_clinic"

    clinic_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    timeline: Mapped[str] = mapped_column(Text)
    timezone: Mapped[str] = mapped_column(String(64))
    marks: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))
    """Instants beside which the zone's clock changes, and between."""
    locals: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime))
    """What the zone's clock showed at each."""
