"""Two stays that may be one: the patient is here already, or another active ticket has the episode, or the bed.

The first two are refused (409) before anything is written, one at a time and after `patient_mismatch`. Each is decided
under a lock, so of two nurses at once the second is told. A bed is a warning beside the answer.
"""

from sqlalchemy import ColumnElement, Select, func, literal, or_, select

from core.access import ClinicScope
from core.db.named_lock import lock_named
from core.db.transaction import WriteSession
from core.errors import Conflict
from core.patients.models import Patient
from core.text import folded
from core.tickets.change.held import Held
from core.tickets.models import Status, Ticket
from core.tickets.reads.detail import detail
from core.tickets.state import FORGOTTEN_AFTER
from core.tickets.views import TicketDetail, WarningView

BEDS_TOLD = 10
"""At most so many tickets are told that have the bed."""


async def require_only_stay(
    session: WriteSession, patient_id: int, second_stay: str | None, *, besides: str | None = None
) -> None:
    """The patient, whose row is locked, has no active ticket but `besides`, or `second_stay` names it (of several the
    newest): the ticket is another stay.

    Raises Conflict (`already_admitted`, with that ticket's id as `ticket_id`).
    """
    others = select(Ticket.id).where(Ticket.patient_id == patient_id, *_active_but(besides))
    found = await session.scalar(others.order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(1))
    if found is not None and found != second_stay:
        raise Conflict(
            "This patient has an active ticket. Name it in `second_stay` if this is another stay.",
            code="already_admitted",
            ticket_id=found,
        )


async def require_free_episode(
    session: WriteSession, clinic_id: int, episode_id: str | None, *, besides: str | None = None
) -> None:
    """No active ticket of the clinic but `besides` has the episode, and none will before this transaction ends.

    Raises Conflict (`episode_taken`, with that ticket's id as `ticket_id`).
    """
    if episode_id is None:
        return
    same = folded(episode_id)
    await lock_named(session, f"episode {clinic_id} {same}")
    others = select(Ticket.id).where(Ticket.clinic_id == clinic_id, *_active_but(besides))
    found = await session.scalar(others.where(func.folded_text(Ticket.episode_id) == same).limit(1))
    if found is not None:
        raise Conflict("Another active ticket has this episode.", code="episode_taken", ticket_id=found)


async def require_may_be_active(
    session: WriteSession, held: Held, patient: Patient | None, second_stay: str | None
) -> None:
    """What a ticket needs that is to be active again: both of the above. `held` and `patient` as `hold_with_patient`
    gives them."""
    if patient is not None:
        await require_only_stay(session, patient.id, second_stay, besides=held.ticket.id)
    await require_free_episode(session, held.ticket.clinic_id, held.ticket.episode_id, besides=held.ticket.id)


async def written(
    session: WriteSession, scope: ClinicScope, ticket_id: str, *, names_differ: bool = False
) -> TicketDetail:
    """The ticket as it was just written, with what whoever wrote it should look at."""
    ticket = await detail(session, scope, ticket_id)
    warnings = [WarningView(code="name_differs", ticket_id=None)] if names_differ else []
    if ticket.status is Status.ACTIVE and ticket.bed_number is not None:
        found = await session.scalars(_in_bed(ticket, ticket.bed_number))
        warnings += [WarningView(code="bed_taken", ticket_id=other) for other in found]
    return ticket.model_copy(update={"warnings": warnings})


def _active_but(ticket_id: str | None) -> list[ColumnElement[bool]]:
    return [Ticket.status == Status.ACTIVE, *([] if ticket_id is None else [Ticket.id != ticket_id])]


def _in_bed(ticket: TicketDetail, bed: str) -> Select[str]:
    """Active tickets whose patient lies in that bed, or will before this one's has left. Without a location it may be
    the bed of that number anywhere; those who are forgotten since days lie in none."""
    now = func.clock_timestamp()
    others = select(Ticket.id).where(
        Ticket.clinic_id == ticket.clinic_id,
        *_active_but(ticket.id),
        func.folded_text(Ticket.bed_number) == folded(bed),
        Ticket.current_fpa >= now - FORGOTTEN_AFTER,
        Ticket.admission_at < func.greatest(now, literal(ticket.current_fpa)),
    )
    if ticket.location is not None:
        same = func.folded_text(Ticket.location) == folded(ticket.location)
        others = others.where(or_(Ticket.location.is_(None), same))
    return others.order_by(Ticket.id).limit(BEDS_TOLD)
