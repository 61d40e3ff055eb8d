"""The list of discharge blocks, the same in every clinic."""

from core.access import ClinicScope
from core.clinics.references import require_known
from core.db.transaction import Session
from core.tickets.fpa import block_ending_at
from core.tickets.views import BlockView, DischargeBlockList

DISCHARGE_BLOCKS = "clinics:discharge_blocks"
"""The list's namespace in the cache: what it is made of, and its name."""


async def discharge_blocks_in(session: Session, scope: ClinicScope) -> DischargeBlockList:
    """The 24, by the hour at which they end. Raises NotFound where the scope's clinic does not exist."""
    await require_known(session, scope)
    return DischargeBlockList(items=[BlockView.of(block_ending_at(hour)) for hour in range(24)])
