"""Annulling a ticket, and undoing that."""

from core.access import Actor
from core.db.transaction import WriteSession
from core.errors import Conflict
from core.tickets.change.held import Revisions, change, hold, hold_with_patient, require_active, require_revision
from core.tickets.change.references import Refusals, reason_text
from core.tickets.change.stays import require_may_be_active, written
from core.tickets.models import Status
from core.tickets.reads.detail import detail
from core.tickets.views import TicketDetail


async def annul(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, reason_id: int
) -> TicketDetail:
    """Annul an active ticket, for a reason of the clinic's; gives the ticket as it is then.

    Raises NotFound, Invalid for the reason, RevisionRequired, RevisionMismatch, and Conflict (`ticket_not_active`).
    """
    held = await hold(session, actor.scope, ticket_id)
    refusals = Refusals()
    reason = await reason_text(session, held.ticket.clinic_id, reason_id, "annulment", refusals)
    refusals.decide()
    await require_revision(session, held, revision)
    require_active(held)
    values = {
        "status": Status.ANNULLED.value,
        "annulled_at": held.now,
        "annulled_by": actor.username,
        "annulment_reason": reason,
    }
    await change(session, actor, held, "ticket.annulled", values)
    return await detail(session, actor.scope, ticket_id)


async def restore(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, second_stay: str | None = None
) -> TicketDetail:
    """Make an annulled ticket active again; who annulled it, and why, stays in its history.

    Raises NotFound, RevisionRequired, RevisionMismatch, and Conflict (`ticket_not_annulled`, `already_admitted`,
    `episode_taken`).
    """
    held, patient = await hold_with_patient(session, actor.scope, ticket_id)
    await require_revision(session, held, revision)
    if held.ticket.status != Status.ANNULLED:
        raise Conflict(f"The ticket is {held.ticket.status}.", code="ticket_not_annulled")
    await require_may_be_active(session, held, patient, second_stay)
    values = {"status": Status.ACTIVE.value, "annulled_at": None, "annulled_by": None, "annulment_reason": None}
    await change(session, actor, held, "ticket.restored", values)
    return await written(session, actor.scope, ticket_id)
