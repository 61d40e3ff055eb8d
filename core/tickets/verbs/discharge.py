"""Discharging a patient, and undoing that."""

from datetime import datetime, timedelta
from typing import Any

from core.access import Actor, Role
from core.audit.models import ActionAudit
from core.db.transaction import WriteSession
from core.errors import Conflict, Forbidden
from core.tickets.change.held import (
    Held,
    Revisions,
    change,
    happened_at,
    hold,
    hold_with_patient,
    require_active,
    require_revision,
)
from core.tickets.change.stays import require_may_be_active, written
from core.tickets.models import Status, Ticket
from core.tickets.reads.detail import detail
from core.tickets.reads.summary import DISCHARGED, discharge_record
from core.tickets.views import TicketDetail

OWN = timedelta(minutes=30)


async def discharge(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, discharged_at: datetime | None
) -> TicketDetail:
    """The patient left: at `discharged_at` as the client sent it, or now (None). Who was ready
    only after that was ready then.

    Raises NotFound, Invalid for a time in the future or before the admission, RevisionRequired, RevisionMismatch, and
    Conflict (`ticket_not_active`).
    """
    held = await hold(session, actor.scope, ticket_id)
    at = happened_at(held, discharged_at, "discharged_at")
    await require_revision(session, held, revision)
    require_active(held)
    await change(session, actor, held, DISCHARGED, left_at(held.ticket, at))
    return await detail(session, actor.scope, ticket_id)


def left_at(ticket: Ticket, at: datetime) -> dict[str, Any]:
    """What a discharge at that time writes. Who left was ready."""
    values: dict[str, Any] = {"status": Status.DISCHARGED.value, "discharged_at": at}
    if ticket.ready_at is not None and at < ticket.ready_at:
        values["ready_at"] = at
    return values


async def undo_discharge(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, second_stay: str | None = None
) -> TicketDetail:
    """The patient is still here: the ticket is active again. Within OWN of the writing by whoever wrote the discharge,
    always by an admin.

    Raises NotFound, Forbidden, RevisionRequired, RevisionMismatch, and Conflict (`ticket_not_discharged`,
    `already_admitted`, `episode_taken`).
    """
    held, patient = await hold_with_patient(session, actor.scope, ticket_id)
    if held.ticket.status == Status.DISCHARGED and actor.role.rank < Role.ADMIN.rank:
        await _require_own(session, actor, held)
    await require_revision(session, held, revision)
    if held.ticket.status != Status.DISCHARGED:
        raise Conflict(f"The ticket is {held.ticket.status}.", code="ticket_not_discharged")
    await require_may_be_active(session, held, patient, second_stay)
    values = {"status": Status.ACTIVE.value, "discharged_at": None, "discharge_assumed": False}
    await change(session, actor, held, "ticket.discharge_undone", values)
    return await written(session, actor.scope, ticket_id)


async def _require_own(session: WriteSession, actor: Actor, held: Held) -> None:
    """Raises Forbidden unless the actor wrote the discharge down, and lately."""
    latest = discharge_record(held.ticket, ActionAudit.user_id, ActionAudit.at)
    written_down = (await session.execute(latest)).one_or_none()
    if written_down is None or written_down.user_id != actor.user_id or held.now - written_down.at > OWN:
        raise Forbidden("After half an hour, and of somebody else's, an administrator undoes a discharge.")
