"""Where a patient lies: bed, location, and the episode."""

from collections.abc import Mapping

from core.access import Actor
from core.db.transaction import WriteSession
from core.tickets.models import Status
from core.tickets.reads.detail import detail
from core.tickets.verbs.held import Revisions, change, hold, require_active, require_not_overdue, require_revision
from core.tickets.views import TicketDetail

KNOWN_LATE = {"episode_id"}


async def set_placement(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, values: Mapping[str, str | None]
) -> TicketDetail:
    """Set the columns that `values` names: bed, location, episode; None clears.

    An annulled ticket takes none of them, an overdue or discharged one only its episode, which is often known late.
    Raises Conflict (`ticket_not_active`, `ticket_overdue`).
    """
    held = await hold(session, actor.scope, ticket_id)
    await require_revision(session, held, revision)
    others = values.keys() - KNOWN_LATE
    if held.ticket.status == Status.ANNULLED or others:
        require_active(held)
    if others:
        require_not_overdue(held)
    await change(session, actor, held, "ticket.placed", values)
    return await detail(session, actor.scope, ticket_id)
