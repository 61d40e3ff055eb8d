"""The FPA of a ticket that is not made yet."""

from datetime import datetime

from core.clock import shown, zone
from core.db.transaction import Session
from core.tickets.change.references import Refusals, clinic_with
from core.tickets.change.surgery_time import parse_surgery_at
from core.tickets.fpa import block_of, stay
from core.tickets.views import BlockView, FpaPreview


async def preview_fpa(session: Session, clinic_id: int, surgery_id: int, surgery_at: datetime) -> FpaPreview:
    """What creating a ticket would calculate. Nothing is stored. Raises Invalid for what `create` refuses, too."""
    refusals = Refusals()
    found = await clinic_with(session, clinic_id, surgery_id, None, refusals)
    local = zone(found.timezone)
    with refusals.collect():
        surgery_at = parse_surgery_at(surgery_at, local, found.now)
    refusals.decide()
    calculated = stay(surgery_at, found.base_stay_hours, local)
    return FpaPreview(
        surgery_id=surgery_id,
        surgery_at=shown(surgery_at, local),
        admission_at=shown(calculated.admission_at, local),
        fpa=shown(calculated.fpa, local),
        overnight_stays=calculated.overnight_stays,
        block=BlockView.of(block_of(calculated.fpa, local)),
    )
