"""Discharging those who were forgotten: they left days ago, and nobody wrote it down. Several at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select, update

from core.access import Actor, ClinicScope
from core.audit.record import AuditEntry, record_all
from core.clinics.models import Clinic
from core.clock import zone
from core.db.transaction import WriteSession
from core.patients import patients
from core.tickets.change.held import audited
from core.tickets.models import Status, Ticket
from core.tickets.reads.summary import DISCHARGED
from core.tickets.state import is_forgotten
from core.tickets.verbs.discharge import left_at

MOST = 200
"""Tickets in one request."""


class Outcome(StrEnum):
    """What became of a ticket: the first of these that holds, from the second on, and else the first."""

    DISCHARGED = "discharged"
    NOT_FOUND = "not_found"
    REVISION_MISMATCH = "revision_mismatch"
    TICKET_NOT_ACTIVE = "ticket_not_active"
    NOT_FORGOTTEN = "not_forgotten"


@dataclass(frozen=True, slots=True)
class Read:
    """A ticket, and the revision of it that the client has read."""

    id: str
    revision: int


@dataclass(frozen=True, slots=True)
class AssumedDischarge:
    id: str
    outcome: Outcome
    revision: int | None
    """As it is now; None where there is no such ticket."""


async def assume_discharges(session: WriteSession, actor: Actor, asked: Sequence[Read]) -> list[AssumedDischarge]:
    """Each decided alone, in the order in which they were asked for: whoever is forgotten is taken to have left at
    their FPA, and that is marked as assumed. What is named twice finds what became of it the first time."""
    held = await _hold_all(session, actor.scope, {one.id for one in asked})
    now: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    discharged: list[_Held] = []

    def outcome(one: Read) -> Outcome:
        found = held.get(one.id)
        if found is None:
            return Outcome.NOT_FOUND
        if one.revision != found.revision:
            return Outcome.REVISION_MISMATCH
        if found in discharged or found.ticket.status != Status.ACTIVE:
            return Outcome.TICKET_NOT_ACTIVE
        if not is_forgotten(now, admission_at=found.ticket.admission_at, current_fpa=found.ticket.current_fpa):
            return Outcome.NOT_FORGOTTEN
        discharged.append(found)
        found.revision += 1
        return Outcome.DISCHARGED

    outcomes = [(one.id, outcome(one)) for one in asked]
    if discharged:
        await _write(session, actor, discharged, now)
    return [
        AssumedDischarge(ticket_id, told, held[ticket_id].revision if ticket_id in held else None)
        for ticket_id, told in outcomes
    ]


@dataclass(slots=True, eq=False)
class _Held:
    ticket: Ticket
    timezone: str
    revision: int
    """As it is after this request."""


async def _hold_all(session: WriteSession, scope: ClinicScope, ids: set[str]) -> dict[str, _Held]:
    """The scope's tickets, locked in the order of their ids after their patients: of two administrators at once the
    second waits for the first, and neither for the other; nor for whoever corrects a patient, and holds one of their
    tickets before the others."""
    among = Ticket.id.in_(ids), scope.rows(Ticket.clinic_id)
    await patients.hold_all(session, select(Ticket.patient_id).where(*among))
    locking = (
        select(Ticket, Clinic.timezone)
        .join(Clinic, Clinic.id == Ticket.clinic_id)
        .where(*among)
        .order_by(Ticket.id)
        .with_for_update(key_share=True, of=Ticket)
    )
    rows = (await session.execute(locking)).all()
    return {ticket.id: _Held(ticket, timezone, ticket.revision) for ticket, timezone in rows}


async def _write(session: WriteSession, actor: Actor, discharged: Sequence[_Held], now: datetime) -> None:
    of_clinics: dict[int, list[AuditEntry]] = {}
    for held in discharged:
        ticket = held.ticket
        changed = left_at(ticket, ticket.current_fpa) | {"discharge_assumed": True}
        entry = AuditEntry(DISCHARGED, "ticket", ticket.id, audited(ticket, changed, zone(held.timezone)))
        of_clinics.setdefault(ticket.clinic_id, []).append(entry)
    # A `ready_at` after it is moved by a trigger.
    statement = (
        update(Ticket)
        .where(Ticket.id.in_([held.ticket.id for held in discharged]))
        .values(
            status=Status.DISCHARGED.value,
            discharged_at=Ticket.current_fpa,
            discharge_assumed=True,
            revision=Ticket.revision + 1,
        )
    )
    await session.execute(statement, execution_options={"synchronize_session": False})
    for clinic_id, entries in sorted(of_clinics.items()):
        await record_all(session, actor, entries, clinic_id=clinic_id, at=now)
