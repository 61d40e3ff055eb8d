"""Urgency thresholds: a clinic's own, which it may give up again, and the global ones, which are always there."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from core.access import Actor
from core.audit.record import record
from core.catalogs.models import UrgencyThreshold
from core.catalogs.thresholds import DEFAULTS, threshold_item
from core.catalogs.views import ThresholdItem
from core.clinics.models import Clinic
from core.clinics.references import require_clinic
from core.clock import DEFAULT_ZONE
from core.db.transaction import WriteSession
from core.errors import FieldError, Invalid

GLOBAL = "global"
"""The global ones' id in the audit."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours left to the FPA, 1–72."""

    red_hours: int
    yellow_hours: int
    green_hours: int

    def require_order(self) -> None:
        """Raises Invalid unless red < yellow < green."""
        refused = []
        if self.yellow_hours <= self.red_hours:
            refused.append(FieldError("yellow_hours", "not_above_red", "It must be above red_hours."))
        if self.green_hours <= self.yellow_hours:
            refused.append(FieldError("green_hours", "not_above_yellow", "It must be above yellow_hours."))
        if refused:
            raise Invalid(*refused)


@dataclass(frozen=True, slots=True)
class _Row:
    hours: Hours
    updated_at: datetime | None
    updated_by: str | None


async def set_thresholds(session: WriteSession, actor: Actor, clinic_id: int | None, hours: Hours) -> ThresholdItem:
    """A clinic's own, or the global ones (None). Raises Invalid for their order, and for an unknown clinic."""
    if clinic_id is not None:
        await require_clinic(session, clinic_id)
    hours.require_order()
    after = asdict(hours)
    before = await _written(session, actor, clinic_id, hours)
    if before != hours:
        was = asdict(before) if before else dict.fromkeys(after)
        changes = {name: [was[name], value] for name, value in after.items() if was[name] != value}
        await _record(session, actor, "thresholds.changed", clinic_id, changes)
    return await _item_in(session, clinic_id, await _held(session, clinic_id), inherited=False)


async def remove_thresholds(session: WriteSession, actor: Actor, clinic_id: int) -> ThresholdItem:
    """Back to the global ones, which it gives. Where the clinic has none of its own, nothing is done."""
    statement = (
        delete(UrgencyThreshold)
        .where(UrgencyThreshold.clinic_id == clinic_id)
        .returning(*(getattr(UrgencyThreshold, name) for name in DEFAULTS))
    )
    removed = (await session.execute(statement)).mappings().one_or_none()
    if removed is not None:
        changes = {name: [value, None] for name, value in removed.items()}
        await _record(session, actor, "thresholds.removed", clinic_id, changes)
    return await _item_in(session, clinic_id, await _held(session, None), inherited=True)


async def _item_in(session: WriteSession, clinic_id: int | None, row: _Row | None, *, inherited: bool) -> ThresholdItem:
    timezone = await session.scalar(select(Clinic.timezone).where(Clinic.id == clinic_id)) if clinic_id else None
    return threshold_item(
        {
            **(asdict(row.hours) if row is not None else DEFAULTS),
            "clinic_id": clinic_id,
            "inherited": inherited,
            "updated_at": row.updated_at if row is not None else None,
            "updated_by": row.updated_by if row is not None else None,
            "timezone": timezone or DEFAULT_ZONE,
        }
    )


async def _written(session: WriteSession, actor: Actor, clinic_id: int | None, hours: Hours) -> Hours | None:
    """Write the row; gives what it was before. Of two that make it at once the second finds the first's."""
    values = {**asdict(hours), "updated_at": func.clock_timestamp(), "updated_by": actor.username}
    while True:
        before = await _held(session, clinic_id)
        if before is not None:
            if before.hours != hours:
                statement = update(UrgencyThreshold).where(_of(clinic_id)).values(values)
                await session.execute(statement, execution_options={"synchronize_session": False})
            return before.hours
        made = insert(UrgencyThreshold).values(clinic_id=clinic_id, **values).on_conflict_do_nothing()
        if await session.scalar(made.returning(UrgencyThreshold.id)) is not None:
            return None


async def _held(session: WriteSession, clinic_id: int | None) -> _Row | None:
    """The row, locked; None where there is none."""
    columns = [getattr(UrgencyThreshold, name) for name in (*DEFAULTS, "updated_at", "updated_by")]
    found = await session.execute(select(*columns).where(_of(clinic_id)).with_for_update())
    row = found.mappings().one_or_none()
    if row is None:
        return None
    return _Row(Hours(**{name: row[name] for name in DEFAULTS}), row["updated_at"], row["updated_by"])


def _of(clinic_id: int | None) -> ColumnElement[bool]:
    return UrgencyThreshold.clinic_id.is_not_distinct_from(clinic_id)


async def _record(
    session: WriteSession, actor: Actor, action: str, clinic_id: int | None, changes: dict[str, list[int | None]]
) -> None:
    target = GLOBAL if clinic_id is None else clinic_id
    await record(session, actor, action, "thresholds", target, clinic_id=clinic_id, changes=changes)
