"""The urgency thresholds that hold: a clinic's own, or the global ones."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Integer, Select, String, and_, case, func, literal, null, select, true, union_all
from sqlalchemy.orm import aliased

from core.access import ClinicScope
from core.catalogs.models import UrgencyThreshold
from core.catalogs.views import ThresholdItem, ThresholdList
from core.clinics.models import Clinic
from core.clock import DEFAULT_ZONE, shown, zone
from core.db.spanish_order import spanish
from core.db.transaction import Session
from core.errors import NotFound

THRESHOLDS = "catalogs:thresholds"
"""Their list's namespace in the cache: what it is made of, and its name."""

DEFAULTS = {"red_hours": 2, "yellow_hours": 4, "green_hours": 8}
"""Where somebody deleted even the global row."""


async def thresholds_in(session: Session, scope: ClinicScope, *, include_inactive: bool = False) -> ThresholdList:
    """The thresholds that hold in the scope, as one item each.

    Of one clinic: the one that holds there. Of the network: the global ones first, then every clinic's, by the clinic's
    name; `include_inactive`: the inactive clinics' too. Raises NotFound for a clinic that does not exist.
    """
    rows = (await session.execute(_statement(scope, include_inactive=include_inactive))).mappings().all()
    if not rows:
        raise NotFound
    return ThresholdList(items=[threshold_item(dict(row)) for row in rows])


def _statement(scope: ClinicScope, *, include_inactive: bool) -> Select[Any]:
    of_all = select(
        *(null().cast(Integer).label("id"), literal("", String).label("name"), true().label("is_active")),
        literal(DEFAULT_ZONE, String).label("timezone"),
    )
    clinics = select(Clinic.id, Clinic.name, Clinic.is_active, Clinic.timezone)
    holder = union_all(of_all, clinics).subquery("holder")
    own, general = aliased(UrgencyThreshold, name="own"), aliased(UrgencyThreshold, name="general")
    hours = [
        func.coalesce(getattr(own, name), getattr(general, name), default).label(name)
        for name, default in DEFAULTS.items()
    ]
    is_own = own.id.is_not(None)
    statement = (
        select(
            *(holder.c.id.label("clinic_id"), *hours, and_(holder.c.id.is_not(None), ~is_own).label("inherited")),
            case((is_own, own.updated_at), else_=general.updated_at).label("updated_at"),
            case((is_own, own.updated_by), else_=general.updated_by).label("updated_by"),
            holder.c.timezone,
        )
        .select_from(holder)
        .outerjoin(own, own.clinic_id == holder.c.id)
        .outerjoin(general, general.clinic_id.is_(None))
        .where(scope.rows(holder.c.id))
        .order_by(holder.c.id.is_not(None), spanish(holder.c.name), holder.c.id)
    )
    if scope.clinic_id is None and not include_inactive:
        statement = statement.where(holder.c.is_active)
    return statement


def threshold_item(row: Mapping[str, Any]) -> ThresholdItem:
    """What clients see of a row that has the item's columns and, beside them, its clinic's `timezone`."""
    at = row["updated_at"]
    local = zone(row["timezone"])
    return ThresholdItem.model_validate(dict(row) | {"updated_at": None if at is None else shown(at, local)})
