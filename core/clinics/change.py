"""Changing a clinic. It is never deleted: what happened there still counts in the network."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, text, update

from core.access import Actor
from core.audit.record import record
from core.clinics.create import ONE_AT_A_TIME, TAKEN, require_unlike
from core.clinics.models import Clinic
from core.clinics.timezones import require_zone
from core.clinics.views import ClinicItem
from core.db.failures import refused_as_duplicate
from core.db.transaction import WriteSession
from core.errors import Conflict, NotFound
from core.sessions import records

# By its table's name: tickets know clinics, and not the other way round.
HAS_TICKETS = text("SELECT EXISTS (SELECT FROM ticket WHERE clinic_id = :clinic_id)")


async def change(session: WriteSession, actor: Actor, clinic_id: int, values: Mapping[str, Any]) -> ClinicItem:
    """Write what differs of `name`, `timezone` and `is_active`; the prefix stays, for tickets carry it.

    Raises NotFound, Invalid for an unknown time zone, and Conflict: `duplicate`, or `timezone_fixed` once the clinic
    has tickets, whose times were calculated in it.
    """
    clinic = await _hold(session, actor, clinic_id, to_move="timezone" in values)
    changes = {name: [getattr(clinic, name), value] for name, value in values.items() if getattr(clinic, name) != value}
    after = {name: getattr(clinic, name) for name in ClinicItem.model_fields} | {
        name: new for name, (_, new) in changes.items()
    }
    if not changes:
        return ClinicItem.model_validate(after)
    if "timezone" in changes:
        await require_zone(session, after["timezone"])
        if await session.scalar(HAS_TICKETS, {"clinic_id": clinic_id}):
            raise Conflict("The clinic has tickets, whose times were calculated in its zone.", code="timezone_fixed")
    if "name" in changes:
        await session.execute(ONE_AT_A_TIME)
        await require_unlike(session, after["name"], clinic_id=clinic_id)
    statement = update(Clinic).where(Clinic.id == clinic_id).values({name: new for name, (_, new) in changes.items()})
    with refused_as_duplicate(TAKEN):
        await session.execute(statement, execution_options={"synchronize_session": False})
    if "is_active" in changes:
        # Also when it is opened again: a sign-in that was under way at its closing may have left a session behind.
        ended = await records.revoke_clinic(session, clinic_id=clinic_id)
        if ended:
            changes["sessions_ended"] = [None, len(ended)]
    await record(session, actor, "clinic.changed", "clinic", clinic_id, clinic_id=clinic_id, changes=changes)
    return ClinicItem.model_validate(after)


async def _hold(session: WriteSession, actor: Actor, clinic_id: int, *, to_move: bool) -> Clinic:
    """The clinic, locked. One that is `to_move` to another zone waits for tickets that are being made, and they for it.

    Raises NotFound.
    """
    locking = select(Clinic).where(Clinic.id == clinic_id, actor.scope.rows(Clinic.id))
    clinic = (await session.execute(locking.with_for_update(key_share=not to_move))).scalar_one_or_none()
    if clinic is None:
        raise NotFound
    return clinic
