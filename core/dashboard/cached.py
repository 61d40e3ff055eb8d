"""The dashboard through the cache: a clinic's, and the network's from the clinics' own entries."""

from functools import lru_cache

from sqlalchemy import select

from core.access import ClinicScope
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded, Loader
from core.cache.policy import Policy, shape_of
from core.clinics.models import Clinic
from core.dashboard.network import network_of
from core.dashboard.part import Part, part_of
from core.dashboard.stats import Filters, read_stats
from core.dashboard.views import Dashboard
from core.errors import NotFound

TTL = 300.0
"""Seconds."""

CODE_VERSION = 1
"""Raise it when a figure's meaning changes: answers of the old meaning are then not found."""
SHAPE = shape_of(Dashboard, CODE_VERSION)
TOPICS = {"topics": ("figures", "catalogs"), "global_topics": ("clinics",)}

CLINIC = Policy("dashboard", TTL, SHAPE, **TOPICS)
NETWORK = Policy("network_dashboard", TTL, SHAPE, **TOPICS)


@lru_cache(maxsize=1024)
def dashboard(scope: ClinicScope, filters: Filters) -> CachedRead:
    """The scope's figures. Its loader raises NotFound for a clinic that does not exist, and for a surgery that is not
    in the scope."""
    parameters = filters.parameters()
    if scope.clinic_id is None:
        return CachedRead(NETWORK, None, parameters, _network_loader(filters))
    return CachedRead(CLINIC, scope.clinic_id, parameters, _clinic_loader(scope.clinic_id, filters))


def _clinic_loader(clinic_id: int, filters: Filters) -> Loader:
    async def load(fill: Fill) -> Loaded:
        row = (await read_stats(fill.session, [clinic_id], fill.now, filters, is_whole=fill.is_whole)).get(clinic_id)
        if row is None or (filters.surgery_id is not None and row.surgery_clinic_id != clinic_id):
            raise NotFound
        return part_of(row, fill.now).loaded()

    return load


def _network_loader(filters: Filters) -> Loader:
    async def load(fill: Fill) -> Loaded:
        clinics = (await fill.session.scalars(select(Clinic.id).order_by(Clinic.id))).all()
        parameters = filters.parameters()
        held = await fill.parts(CLINIC, clinics, parameters)
        parts = {clinic_id: Part.of_entry(entry) for clinic_id, entry in held.items()}
        missing = [clinic_id for clinic_id in clinics if clinic_id not in parts]
        if missing:
            rows = await read_stats(fill.session, missing, fill.now, filters, is_whole=fill.is_whole)
            for clinic_id, row in rows.items():
                if filters.surgery_id is not None and row.surgery_clinic_id is None:
                    raise NotFound
                part = parts[clinic_id] = part_of(row, fill.now)
                # A surgery is one clinic's: what the others' own dashboards would refuse is not theirs to keep.
                if filters.surgery_id is None or row.surgery_clinic_id == clinic_id:
                    fill.keep(CLINIC, clinic_id, parameters, part.loaded())
        return network_of([parts[clinic_id] for clinic_id in clinics], fill.now)

    return load
