"""What a patient reads on the printed ticket, in Spanish: who goes home when, and why that changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.access import ClinicScope
from core.clinics.models import Clinic
from core.clock import in_zone, zone
from core.db.transaction import ReadSession
from core.exports.pdf.text import plain
from core.tickets.fpa import BLOCK_HOURS, block_ends, block_of
from core.tickets.models import Status
from core.tickets.reads.detail import detail
from core.tickets.views import PatientView, TicketDetail

DAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
NOBODY = "—"


@dataclass(frozen=True, slots=True)
class When:
    """A discharge block."""

    day: str
    """On which it begins: `viernes 16 de enero de 2025`."""
    block: str
    """`11:00 - 13:00`"""
    ends: str | None
    """The day on which it ends, where that is another one and it does not end at its midnight."""
    nights: str
    """`1 noche`"""


@dataclass(frozen=True, slots=True)
class LastModification:
    when: When
    reason: str | None
    """As `at`: None of an imported ticket whose modifications are not known."""
    at: str | None
    number: int
    """How many times it was modified."""


@dataclass(frozen=True, slots=True)
class Printed:
    id: str
    clinic: str
    patient: str
    """`Ana R.`"""
    original: When
    change: LastModification | None
    facts: tuple[tuple[str, str], ...]
    """What it is called, and what it is."""
    is_annulled: bool
    at: str
    """When it was printed."""


async def printed(session: ReadSession, scope: ClinicScope, ticket_id: str) -> Printed:
    """What stands on the printed ticket. Raises NotFound."""
    ticket = await detail(session, scope, ticket_id)
    found = select(Clinic.name, Clinic.timezone, func.statement_timestamp().label("now"))
    clinic = (await session.execute(found.where(Clinic.id == ticket.clinic_id))).one()
    return printed_from(ticket, clinic.name, zone(clinic.timezone), clinic.now)


def printed_from(ticket: TicketDetail, clinic: str, local: ZoneInfo, now: datetime) -> Printed:
    facts = [
        ("Cirugía", ticket.surgery.name),
        ("Médico tratante", ticket.doctor.name if ticket.doctor else NOBODY),
        ("Fecha de la cirugía", _moment(in_zone(ticket.surgery_at, local))),
        ("Ingreso", _moment(in_zone(ticket.admission_at, local))),
    ]
    if ticket.discharged_at is not None:
        facts.append(("Alta", _moment(in_zone(ticket.discharged_at, local))))
    return Printed(
        id=ticket.id,
        clinic=clinic,
        patient=called(ticket.patient),
        original=_when(ticket.initial_fpa, ticket.initial_overnight_stays, local),
        change=_change(ticket, local),
        facts=tuple(facts),
        is_annulled=ticket.status is Status.ANNULLED,
        at=_moment(in_zone(now, local)),
    )


def called(patient: PatientView | None) -> str:
    """First name and the surname's initial: whoever finds the paper does not learn who was operated on."""
    if patient is None:
        return NOBODY
    first, last = plain(patient.first_name), plain(patient.last_name)
    initial = next((f"{letter.upper()}." for letter in last if letter.isalnum()), "")
    return f"{first[:1].upper()}{first[1:]} {initial}".strip() or NOBODY


def _change(ticket: TicketDetail, local: ZoneInfo) -> LastModification | None:
    if not ticket.modifications:
        moved = ticket.current_fpa != ticket.initial_fpa
        when = _when(ticket.current_fpa, ticket.overnight_stays, local)
        return LastModification(when, None, None, 0) if moved else None
    last = ticket.modifications[-1]
    return LastModification(
        _when(last.new_fpa, ticket.overnight_stays, local),
        last.reason,
        _moment(in_zone(last.at, local)),
        len(ticket.modifications),
    )


def _when(fpa: datetime, nights: int, local: ZoneInfo) -> When:
    ends = in_zone(block_ends(fpa, local), local)
    # By the wall clock, as the block is shown; one that ends at 00:00 or 01:00 begins on the day before.
    begins = ends.date() - timedelta(days=1) if ends.hour < BLOCK_HOURS else ends.date()
    return When(
        day=_day(datetime(begins.year, begins.month, begins.day, tzinfo=local)),
        block=block_of(fpa, local).label,
        ends=_day(ends) if 0 < ends.hour < BLOCK_HOURS else None,
        nights="1 noche" if nights == 1 else f"{nights} noches",
    )


def _day(wall: datetime) -> str:
    return f"{DAYS[wall.weekday()]} {wall.day} de {MONTHS[wall.month - 1]} de {wall.year}"


def _moment(wall: datetime) -> str:
    return f"{_day(wall)}, {wall:%H:%M}"
