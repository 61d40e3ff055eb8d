"""Catalogs as the cache computes them: one statement each, which also tells an unknown clinic from an empty catalog."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from core.access import ClinicScope
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.keys import Parameter
from core.cache.policy import Policy, shape_of
from core.catalogs.models import Doctor, Specialty, StandardizedReason, Surgery
from core.catalogs.views import (
    DoctorItem,
    DoctorList,
    ReasonItem,
    ReasonList,
    SpecialtyItem,
    SpecialtyList,
    SurgeryItem,
    SurgeryList,
)
from core.clinics.models import Clinic
from core.db.order import spanish
from core.errors import NotFound

TTL = 3600.0
CODE_VERSION = 2
"""Raised with what a list means: its order, too."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Rows of `table` in the Spanish order of the text in `order`, as `item`s of an `answer`."""

    policy: Policy
    table: Any
    item: Any
    answer: Any
    order: Any

    def cached_read(
        self,
        scope: ClinicScope,
        *,
        include_inactive: bool = False,
        specialty_id: int | None = None,
        **equal: Parameter,
    ) -> CachedRead:
        """The clinic's rows, or the network's; of one specialty; of columns that equal what is given, None: any.

        The loader raises NotFound where the clinic or the specialty does not exist in the scope.
        """
        # Absent where the list does not differ from the plain one: of that the last good answer is kept.
        parameters = {"include_inactive": include_inactive or None, "specialty_id": specialty_id, **equal}

        async def load(fill: Fill) -> Loaded:
            matching = [getattr(self.table, name) == value for name, value in equal.items() if value is not None]
            if not include_inactive:
                matching.append(self.table.is_active)
            statement = self._statement(scope, specialty_id, matching)
            named = scope.clinic_id is not None or specialty_id is not None
            rows = (await fill.session.execute(statement)).mappings().all()
            # The clinic (or the specialty) joined to nothing is one row of nulls: it is there, and has none.
            if named and not rows:
                raise NotFound
            return Loaded(self._encoded([dict(row) for row in rows if row["id"] is not None]))

        return CachedRead(self.policy, scope.clinic_id, parameters, load)

    def _statement(self, scope: ClinicScope, specialty_id: int | None, matching: list[ColumnElement[bool]]) -> Any:
        columns = [getattr(self.table, name) for name in self.item.model_fields]
        anchor: Any = Clinic
        of_anchor = self.table.clinic_id == Clinic.id
        if specialty_id is not None:
            anchor = Clinic.__table__.join(
                Specialty.__table__, and_(Specialty.clinic_id == Clinic.id, Specialty.id == specialty_id)
            )
            of_anchor = and_(of_anchor, self.table.specialty_id == Specialty.id)
        return (
            select(*columns)
            .select_from(anchor)
            .outerjoin(self.table, and_(of_anchor, *matching))
            .where(scope.rows(Clinic.id))
            .order_by(spanish(self.order), self.table.id)
        )

    def _encoded(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        answer = self.answer(items=[self.item.model_validate(row) for row in rows])
        encoded: str = answer.model_dump_json()
        return encoded.encode()


def _policy(name: str, answer: Any) -> Policy:
    return Policy(name, TTL, shape_of(answer, CODE_VERSION), topics=("catalogs",))


SPECIALTIES = Catalog(
    _policy("specialties", SpecialtyList), Specialty, SpecialtyItem, SpecialtyList, order=Specialty.name
)
SURGERIES = Catalog(_policy("surgeries", SurgeryList), Surgery, SurgeryItem, SurgeryList, order=Surgery.name)
DOCTORS = Catalog(_policy("doctors", DoctorList), Doctor, DoctorItem, DoctorList, order=Doctor.name)
REASONS = Catalog(
    _policy("reasons", ReasonList), StandardizedReason, ReasonItem, ReasonList, order=StandardizedReason.reason
)
