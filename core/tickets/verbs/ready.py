"""The criteria for a patient's discharge are met: the patient may leave, and is still here."""

from datetime import datetime

from core.access import Actor
from core.db.transaction import WriteSession
from core.errors import Conflict
from core.tickets.change.held import Revisions, change, happened_at, hold, require_active, require_revision
from core.tickets.reads.detail import detail
from core.tickets.views import TicketDetail


async def ready(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, ready_at: datetime | None
) -> TicketDetail:
    """The patient may leave: since `ready_at` as the client sent it, or now (None).

    Raises NotFound, Invalid for a time in the future or before the admission, RevisionRequired, RevisionMismatch, and
    Conflict (`ticket_not_active`, `already_ready`).
    """
    held = await hold(session, actor.scope, ticket_id)
    at = happened_at(held, ready_at, "ready_at")
    await require_revision(session, held, revision)
    require_active(held)
    if held.ticket.ready_at is not None:
        raise Conflict("The patient is ready already.", code="already_ready")
    await change(session, actor, held, "ticket.ready", {"ready_at": at, "ready_by": actor.username})
    return await detail(session, actor.scope, ticket_id)


async def undo_ready(session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None) -> TicketDetail:
    """The patient may not leave yet.

    Raises NotFound, RevisionRequired, RevisionMismatch, and Conflict (`ticket_not_active`, `not_ready`).
    """
    held = await hold(session, actor.scope, ticket_id)
    await require_revision(session, held, revision)
    require_active(held)
    if held.ticket.ready_at is None:
        raise Conflict("The patient is not ready.", code="not_ready")
    await change(session, actor, held, "ticket.ready_undone", {"ready_at": None, "ready_by": None})
    return await detail(session, actor.scope, ticket_id)
