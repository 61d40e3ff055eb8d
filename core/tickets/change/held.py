"""A ticket held for a change: the lock, the revision that the client must know, the audit, the next revision.

Refusals are decided in the contract's order: not found, the verb's own 422, then the revision, then the ticket's state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from core.access import Actor, ClinicScope
from core.audit.record import AuditEntry, Changes, record_all
from core.clinics.models import Clinic
from core.clock import parse_local, shown, zone
from core.db.transaction import WriteSession
from core.errors import Conflict, Invalid, NotFound, RevisionMismatch, RevisionRequired
from core.patients import patients
from core.patients.models import Patient
from core.tickets.models import FpaModification, Status, Ticket
from core.tickets.reads.detail import detail

Revisions = frozenset[int]
"""The revisions of a ticket that a client says it has read (If-Match). It may write where the current one is among
them."""


TOLERANCE = timedelta(minutes=5)
"""By so much a client's clock may be fast."""


@dataclass(frozen=True, slots=True)
class Held:
    """A ticket that this transaction has locked, and what decides what may be done to it."""

    ticket: Ticket
    local: ZoneInfo
    now: datetime
    """The database's clock, read under the lock."""
    modifications: int


async def hold(session: WriteSession, scope: ClinicScope, ticket_id: str) -> Held:
    """Lock the ticket until the transaction ends. Raises NotFound, also for another clinic's."""
    locking = select(Ticket).where(Ticket.id == ticket_id, scope.rows(Ticket.clinic_id))
    ticket = (await session.execute(locking.with_for_update(key_share=True))).scalar_one_or_none()
    if ticket is None:
        raise NotFound
    # A statement of its own: its snapshot is taken under the lock.
    count = (
        select(func.count())
        .where(FpaModification.clinic_id == ticket.clinic_id, FpaModification.ticket_id == ticket.id)
        .scalar_subquery()
    )
    around = select(Clinic.timezone, count.label("modifications"), func.clock_timestamp().label("now"))
    row = (await session.execute(around.where(Clinic.id == ticket.clinic_id))).one()
    return Held(ticket, zone(row.timezone), row.now, row.modifications)


async def hold_with_patient(session: WriteSession, scope: ClinicScope, ticket_id: str) -> tuple[Held, Patient | None]:
    """Lock the ticket's patient, and then the ticket: the order that everything keeps which needs both. None for an
    imported ticket whose patient is unknown.

    Raises NotFound, and RevisionMismatch where the ticket got another patient while this one was waited for."""
    of = select(Ticket.patient_id).where(Ticket.id == ticket_id, scope.rows(Ticket.clinic_id))
    found = (await session.execute(of)).one_or_none()
    if found is None:
        raise NotFound
    patient = await patients.hold(session, found.patient_id) if found.patient_id is not None else None
    held = await hold(session, scope, ticket_id)
    await require_patient(session, held, found.patient_id)
    return held, patient


async def require_patient(session: WriteSession, held: Held, patient_id: int | None) -> None:
    """Raises RevisionMismatch where the ticket is not that patient's, who was locked before it: it has just been
    reassigned, so who asks has not read it as it is. Its patient now may not be waited for under the ticket's lock."""
    if held.ticket.patient_id != patient_id:
        raise await _mismatch(session, held)


async def require_revision(session: WriteSession, held: Held, revision: Revisions | None) -> None:
    """Raises RevisionRequired where the client named no revision, and RevisionMismatch where the ticket has another by
    now: nobody overwrites what they have not read."""
    if revision is None:
        raise RevisionRequired("Send If-Match with the ticket's ETag as you read it.")
    if held.ticket.revision not in revision:
        raise await _mismatch(session, held)


async def _mismatch(session: WriteSession, held: Held) -> RevisionMismatch:
    current = await detail(session, ClinicScope(held.ticket.clinic_id), held.ticket.id)
    return RevisionMismatch("Somebody else changed this ticket since you read it.", current=current)


def happened_at(held: Held, sent: datetime | None, path: str) -> datetime:
    """The instant of what is said to have happened at `sent`, as the client sent it, or now (None). What a clock calls
    now that is up to TOLERANCE fast is now.

    Raises Invalid at the field `path` for a time in the future or before the admission.
    """
    at = held.now if sent is None else parse_local(sent, held.local, path)
    if held.now < at <= held.now + TOLERANCE:
        at = held.now
    if at > held.now:
        raise Invalid.field(path, "in_the_future", "It has yet to happen.")
    if at < held.ticket.admission_at:
        raise Invalid.field(path, "before_admission", "The patient had not been admitted by then.")
    return at


def require_active(held: Held) -> None:
    """Raises Conflict (`ticket_not_active`)."""
    if held.ticket.status != Status.ACTIVE:
        raise Conflict(f"The ticket is {held.ticket.status}.", code="ticket_not_active")


async def change(
    session: WriteSession,
    actor: Actor,
    held: Held,
    action: str,
    values: Mapping[str, Any],
    *,
    more: Changes | None = None,
    beside: Sequence[AuditEntry] = (),
) -> None:
    """Write the `values` that differ, raise the revision, and audit it as `action`.

    `more` goes into the entry beside the columns' changes, of rows beside the ticket's; `beside` are entries of what
    else changed, of the patient. Where nothing at all changed, nothing is written and the revision stays.
    """
    ticket = held.ticket
    changed = {name: value for name, value in values.items() if getattr(ticket, name) != value}
    entries = list(beside)
    if changed or more:
        changes = audited(ticket, changed, held.local, more=more)
        entries.append(AuditEntry(action, "ticket", ticket.id, changes))
    if not entries:
        return
    statement = update(Ticket).where(Ticket.id == ticket.id).values(revision=Ticket.revision + 1, **changed)
    await session.execute(statement, execution_options={"synchronize_session": False})
    await record_all(session, actor, entries, clinic_id=ticket.clinic_id, at=held.now)


def audited(ticket: Ticket, changed: Mapping[str, Any], local: ZoneInfo, *, more: Changes | None = None) -> Changes:
    """Before and after of what changes of a ticket, and `more`; times are in the clinic's zone."""
    changes = {name: [getattr(ticket, name), value] for name, value in changed.items()} | dict(more or {})
    return {name: [_local(value, local) for value in pair] for name, pair in changes.items()}


def _local(value: Any, local: ZoneInfo) -> Any:
    return shown(value, local) if isinstance(value, datetime) else value


async def raise_revisions(session: WriteSession, patient_id: int, *, besides: str | None = None) -> None:
    """The patient's data changed: whoever read one of its active tickets has to read it again."""
    statement = (
        update(Ticket)
        .where(Ticket.patient_id == patient_id, Ticket.status == Status.ACTIVE)
        .values(revision=Ticket.revision + 1)
    )
    if besides is not None:
        statement = statement.where(Ticket.id != besides)
    await session.execute(statement, execution_options={"synchronize_session": False})
