"""Moving an FPA to another discharge block."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert

from core.access import Actor
from core.db.transaction import WriteSession
from core.errors import Conflict
from core.tickets.change.held import Revisions, change, hold, require_active, require_revision
from core.tickets.change.references import Refusals, reason_text
from core.tickets.change.stays import written
from core.tickets.fpa import block_end, overnight_stays
from core.tickets.models import FpaModification
from core.tickets.views import TicketDetail

MODIFICATION_LIMIT = 5
BEFORE_ADMISSION = "fpa_before_admission"


@dataclass(frozen=True, slots=True)
class Modification:
    date: date
    """Clinic-local, on which the new block ends."""
    block_end_hour: int
    reason_id: int
    justification: str | None


async def modify_fpa(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, asked: Modification
) -> TicketDetail:
    """Move an active ticket's FPA to the end of the block that is asked for, MODIFICATION_LIMIT times at most.

    Raises NotFound, Invalid for the reason or the date, RevisionRequired, RevisionMismatch, and Conflict
    (`ticket_not_active`, `modification_limit`, `fpa_before_admission`, `fpa_unchanged`).
    """
    held = await hold(session, actor.scope, ticket_id)
    ticket = held.ticket
    refusals = Refusals()
    reason = await reason_text(session, ticket.clinic_id, asked.reason_id, "modification", refusals)
    new_fpa = ticket.current_fpa
    with refusals.collect():
        new_fpa = block_end(asked.date, asked.block_end_hour, held.local)
    refusals.decide()
    await require_revision(session, held, revision)
    require_active(held)
    if held.modifications >= MODIFICATION_LIMIT:
        raise Conflict(f"An FPA can be modified {MODIFICATION_LIMIT} times.", code="modification_limit")
    if new_fpa < ticket.admission_at:
        raise Conflict("The FPA cannot be before the admission.", code=BEFORE_ADMISSION)
    if new_fpa == ticket.current_fpa:
        raise Conflict("This is the FPA already.", code="fpa_unchanged")

    await session.execute(
        insert(FpaModification).values(
            clinic_id=ticket.clinic_id,
            ticket_id=ticket.id,
            previous_fpa=ticket.current_fpa,
            new_fpa=new_fpa,
            reason_id=asked.reason_id,
            reason=reason,
            justification=asked.justification,
            modified_at=held.now,
            modified_by_id=actor.user_id,
            modified_by=actor.username,
        )
    )
    nights = overnight_stays(ticket.admission_at, new_fpa, held.local)
    why = {"reason": reason, "justification": asked.justification}
    await change(
        session,
        actor,
        held,
        "ticket.fpa_modified",
        {"current_fpa": new_fpa, "overnight_stays": nights},
        more={name: [None, text] for name, text in why.items() if text is not None},
    )
    return await written(session, actor.scope, ticket.id)
