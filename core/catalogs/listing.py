"""Catalogs as the cache computes them: one statement each, which also tells an unknown clinic from an empty catalog."""

from types import MappingProxyType
from typing import Any

from sqlalchemy import and_, select

from core.access import ClinicScope
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.keys import Parameters
from core.catalogs.catalogs import Catalog
from core.catalogs.models import Specialty
from core.clinics.models import Clinic
from core.db.spanish_order import spanish
from core.errors import NotFound

NO_FILTERS: Parameters = MappingProxyType({})
SPECIALTY_ID = "specialty_id"


def rows_of(
    catalog: Catalog, scope: ClinicScope, filters: Parameters = NO_FILTERS, *, include_inactive: bool = False
) -> CachedRead:
    """The clinic's rows, or the network's, whose columns equal what `filters` has for them, None: anything.

    The loader raises NotFound where the clinic, or the specialty of the filters, does not exist in the scope.
    """
    # Absent where the list does not differ from the plain one: of that the last good answer is kept.
    parameters = {"include_inactive": include_inactive or None, **filters}
    is_named = scope.clinic_id is not None or filters.get(SPECIALTY_ID) is not None

    async def load(fill: Fill) -> Loaded:
        statement = _statement(catalog, scope, filters, include_inactive=include_inactive)
        found = (await fill.session.execute(statement)).mappings().all()
        # The clinic (or the specialty) joined to nothing is one row of nulls: it is there, and has none.
        if is_named and not found:
            raise NotFound
        items = [catalog.item.model_validate(dict(row)) for row in found if row["id"] is not None]
        encoded: str = catalog.answer(items=items).model_dump_json()
        return Loaded(encoded.encode())

    return CachedRead(catalog.policy, scope.clinic_id, parameters, load)


def _statement(catalog: Catalog, scope: ClinicScope, filters: Parameters, *, include_inactive: bool) -> Any:
    table = catalog.table
    matching = [getattr(table, name) == value for name, value in filters.items() if value is not None]
    if not include_inactive:
        matching.append(table.is_active)
    anchor: Any = Clinic
    if filters.get(SPECIALTY_ID) is not None:
        of_clinic = and_(Specialty.clinic_id == Clinic.id, Specialty.id == filters[SPECIALTY_ID])
        anchor = Clinic.__table__.join(Specialty.__table__, of_clinic)
    return (
        select(*catalog.shown)
        .select_from(anchor)
        .outerjoin(table, and_(table.clinic_id == Clinic.id, *matching))
        .where(scope.rows(Clinic.id))
        .order_by(spanish(catalog.title), table.id)
    )
