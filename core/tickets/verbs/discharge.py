"""Discharging a patient, and undoing that."""

from datetime import datetime

from core.access import Actor
from core.clock import parse_local
from core.db.transaction import WriteSession
from core.errors import Conflict, Invalid
from core.tickets.models import Status
from core.tickets.reads.detail import detail
from core.tickets.reads.summary import DISCHARGED
from core.tickets.verbs.held import Revisions, change, hold, require_active, require_revision
from core.tickets.views import TicketDetail


async def discharge(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, discharged_at: datetime | None
) -> TicketDetail:
    """The patient left: at `discharged_at` as the client sent it, or now (None).

    Raises NotFound, Invalid for a time in the future or before the admission, RevisionRequired, RevisionMismatch, and
    Conflict (`ticket_not_active`).
    """
    held = await hold(session, actor.scope, ticket_id)
    at = held.now if discharged_at is None else parse_local(discharged_at, held.local, "discharged_at")
    if at > held.now:
        raise Invalid.field("discharged_at", "in_the_future", "A patient who has yet to leave is not discharged.")
    if at < held.ticket.admission_at:
        raise Invalid.field("discharged_at", "before_admission", "The patient had not been admitted by then.")
    await require_revision(session, held, revision)
    require_active(held)
    values = {"status": Status.DISCHARGED.value, "discharged_at": at}
    await change(session, actor, held, DISCHARGED, values)
    return await detail(session, actor.scope, ticket_id)


async def undo_discharge(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None
) -> TicketDetail:
    """The patient is still here: the ticket is active again.

    Raises NotFound, RevisionRequired, RevisionMismatch, and Conflict (`ticket_not_discharged`).
    """
    held = await hold(session, actor.scope, ticket_id)
    await require_revision(session, held, revision)
    if held.ticket.status != Status.DISCHARGED:
        raise Conflict(f"The ticket is {held.ticket.status}.", code="ticket_not_discharged")
    values = {"status": Status.ACTIVE.value, "discharged_at": None, "discharge_assumed": False}
    await change(session, actor, held, "ticket.discharge_undone", values)
    return await detail(session, actor.scope, ticket_id)
