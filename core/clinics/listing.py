"""The list of clinics, as the cache computes it."""

from sqlalchemy import select

from core.access import ClinicScope
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.policy import Policy, shape_of
from core.clinics.models import Clinic
from core.clinics.views import ClinicItem, ClinicList
from core.db.spanish_order import spanish
from core.errors import NotFound

CODE_VERSION = 2
"""Raised with what the list means: its order, too."""
CLINICS = Policy("clinics", 24 * 3600, shape_of(ClinicList, CODE_VERSION), topics=(), global_topics=("clinics",))

COLUMNS = [getattr(Clinic, name) for name in ClinicItem.model_fields]


def clinics(scope: ClinicScope, *, include_inactive: bool = False) -> CachedRead:
    """Clinics by name, in Spanish order. The loader raises NotFound where the scope's clinic does not exist."""

    async def load(fill: Fill) -> Loaded:
        statement = select(*COLUMNS).where(scope.rows(Clinic.id)).order_by(spanish(Clinic.name), Clinic.id)
        found = [ClinicItem.model_validate(dict(row)) for row in (await fill.session.execute(statement)).mappings()]
        if scope.clinic_id is not None and not found:
            raise NotFound
        answer = ClinicList(items=[clinic for clinic in found if clinic.is_active or include_inactive])
        return Loaded(answer.model_dump_json().encode())

    return CachedRead(CLINICS, scope.clinic_id, {"include_inactive": include_inactive or None}, load)
