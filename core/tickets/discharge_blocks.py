"""The list of discharge blocks. It never changes, and is an entry like any other catalog's: the same headers."""

from sqlalchemy import exists, select

from core.access import ClinicScope
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.policy import Policy, shape_of
from core.clinics.models import Clinic
from core.errors import NotFound
from core.tickets.fpa import block_ending_at
from core.tickets.views import BlockView, DischargeBlockList

DISCHARGE_BLOCKS = Policy(
    "discharge_blocks", 24 * 3600, shape_of(DischargeBlockList), topics=(), global_topics=("clinics",)
)


def all_blocks() -> DischargeBlockList:
    """The 24, by the hour at which they end."""
    return DischargeBlockList(items=[BlockView.of(block_ending_at(hour)) for hour in range(24)])


def discharge_blocks(scope: ClinicScope) -> CachedRead:
    """The same in every clinic; the loader raises NotFound where the scope's clinic does not exist."""

    async def load(fill: Fill) -> Loaded:
        if scope.clinic_id is not None and not await fill.session.scalar(
            select(exists().where(Clinic.id == scope.clinic_id))
        ):
            raise NotFound
        return Loaded(all_blocks().model_dump_json().encode())

    return CachedRead(DISCHARGE_BLOCKS, scope.clinic_id, {}, load)
