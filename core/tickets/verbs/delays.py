"""Why a patient who is ready or overdue is still here: delays, one for each reason at a time.

An open one ends when somebody says so, or else with the discharge, which is computed and not stored.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, delete, insert, select, update

from core.access import Actor, ClinicScope
from core.db.transaction import Session, WriteSession
from core.errors import Conflict, NotFound
from core.tickets.change.held import Revisions, change, hold, require_active, require_revision
from core.tickets.change.references import Refusals, reason_text
from core.tickets.models import Delay
from core.tickets.reads.detail import detail
from core.tickets.views import TicketDetail

MISTAKE = timedelta(minutes=10)
"""What is taken back so soon by whoever set it was none, and costs nothing."""


@dataclass(frozen=True, slots=True)
class NewDelay:
    reason_id: int
    note: str | None


async def set_delay(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, asked: NewDelay
) -> TicketDetail:
    """From now on an admitted patient is still here for that reason.

    Raises NotFound, Invalid for the reason, RevisionRequired, RevisionMismatch, and Conflict (`ticket_not_active`,
    `before_admission`; `duplicate` where it is open already).
    """
    held = await hold(session, actor.scope, ticket_id)
    ticket = held.ticket
    refusals = Refusals()
    reason = await reason_text(session, ticket.clinic_id, asked.reason_id, "delay", refusals)
    refusals.decide()
    await require_revision(session, held, revision)
    require_active(held)
    if held.now < ticket.admission_at:
        raise Conflict("The patient has yet to be admitted.", code="before_admission")
    if await session.scalar(_open(ticket_id).where(Delay.reason_id == asked.reason_id)) is not None:
        raise Conflict("This delay is open already.", code="duplicate")
    await session.execute(
        insert(Delay).values(
            clinic_id=ticket.clinic_id,
            ticket_id=ticket_id,
            reason_id=asked.reason_id,
            reason=reason,
            note=asked.note,
            set_at=held.now,
            set_by_id=actor.user_id,
            set_by=actor.username,
        )
    )
    said = {"delay": reason, "note": asked.note}
    more = {name: [None, text] for name, text in said.items() if text is not None}
    await change(session, actor, held, "ticket.delayed", {}, more=more)
    return await detail(session, actor.scope, ticket_id)


async def end_delay(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, delay_id: int
) -> TicketDetail:
    """The patient does not wait for that any more. Within MISTAKE by whoever set it, never did.

    Raises NotFound, also for one that ended, RevisionRequired, RevisionMismatch, and Conflict (`ticket_not_active`).
    """
    held = await hold(session, actor.scope, ticket_id)
    found = (await session.scalars(_open(ticket_id).where(Delay.id == delay_id))).one_or_none()
    if found is None:
        raise NotFound
    await require_revision(session, held, revision)
    require_active(held)
    is_mistake = found.set_by_id == actor.user_id and held.now - found.set_at <= MISTAKE
    if is_mistake:
        await session.execute(delete(Delay).where(Delay.id == delay_id))
    else:
        ended = update(Delay).where(Delay.id == delay_id).values(ended_at=held.now, ended_by=actor.username)
        await session.execute(ended)
    action = "ticket.delay_removed" if is_mistake else "ticket.delay_ended"
    await change(session, actor, held, action, {}, more={"delay": [found.reason, None]})
    return await detail(session, actor.scope, ticket_id)


async def require_delay(session: Session, scope: ClinicScope, delay_id: int) -> None:
    """Raises NotFound for a delay that is not there, or of another clinic."""
    found = select(Delay.id).where(Delay.id == delay_id, scope.rows(Delay.clinic_id))
    if await session.scalar(found) is None:
        raise NotFound


def _open(ticket_id: str) -> Select[Delay]:
    """The ticket's open delays. Whoever writes one holds the ticket."""
    return select(Delay).where(Delay.ticket_id == ticket_id, Delay.ended_at.is_(None))
