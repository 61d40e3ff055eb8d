"""A new clinic of the network."""

from sqlalchemy import Text, exists, func, insert, literal, select, text

from core.access import Actor
from core.audit.record import record
from core.clinics.listing import COLUMNS
from core.clinics.models import Clinic
from core.clinics.prefix import prefix_for
from core.clinics.timezones import require_zone
from core.clinics.views import ClinicItem
from core.db.failures import refused_as_duplicate
from core.db.transaction import WriteSession
from core.errors import Conflict

# Two new clinics would choose the same free prefix. Tickets and sign-ins, which only refer to clinics, go on.
ONE_AT_A_TIME = text("LOCK TABLE clinic IN SHARE ROW EXCLUSIVE MODE")

TAKEN = "Another clinic has this name."


async def require_unlike(session: WriteSession, name: str, *, clinic_id: int | None = None) -> None:
    """Raises Conflict (`duplicate`) where another clinic has this name, case, accents and apostrophes aside.

    Whoever asks holds ONE_AT_A_TIME.
    """
    alike = exists().where(func.folded_text(Clinic.name) == func.folded_text(literal(name, Text)))
    if clinic_id is not None:
        alike = alike.where(Clinic.id != clinic_id)
    if await session.scalar(select(alike)):
        raise Conflict(TAKEN, code="duplicate")


async def create(session: WriteSession, actor: Actor, *, name: str, timezone: str, is_active: bool) -> ClinicItem:
    """The clinic, with the prefix that its name gives it.

    Raises Invalid for an unknown time zone, and Conflict (`duplicate`) for a name that another one has.
    """
    await require_zone(session, timezone)
    await session.execute(ONE_AT_A_TIME)
    await require_unlike(session, name)
    prefix = prefix_for(name, set(await session.scalars(select(Clinic.prefix))))
    values = {"name": name, "prefix": prefix, "timezone": timezone, "is_active": is_active}
    with refused_as_duplicate(TAKEN):
        row = (await session.execute(insert(Clinic).values(values).returning(*COLUMNS))).mappings().one()
    made = ClinicItem.model_validate(dict(row))
    changes = {field: [None, value] for field, value in values.items()}
    await record(session, actor, "clinic.created", "clinic", made.id, clinic_id=made.id, changes=changes)
    return made
