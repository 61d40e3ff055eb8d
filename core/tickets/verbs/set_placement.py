"""Where a patient lies: bed, location, and the episode."""

from collections.abc import Mapping

from core.access import Actor
from core.db.transaction import WriteSession
from core.tickets.models import Status
from core.tickets.verbs.held import Revisions, change, hold, require_active, require_revision
from core.tickets.verbs.stays import require_free_episode, written
from core.tickets.views import TicketDetail

KNOWN_LATE = {"episode_id"}


async def set_placement(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, values: Mapping[str, str | None]
) -> TicketDetail:
    """Set the columns that `values` names: bed, location, episode; None clears.

    An annulled ticket takes none of them, a discharged one only its episode, which is often known late.
    Raises Conflict (`ticket_not_active`; `episode_taken` for another active ticket's).
    """
    held = await hold(session, actor.scope, ticket_id)
    await require_revision(session, held, revision)
    if held.ticket.status == Status.ANNULLED or values.keys() - KNOWN_LATE:
        require_active(held)
    episode = values.get("episode_id")
    if episode != held.ticket.episode_id:
        await require_free_episode(session, held.ticket.clinic_id, episode, besides=ticket_id)
    await change(session, actor, held, "ticket.placed", values)
    return await written(session, actor.scope, ticket_id)
