"""Why patients usually stay longer than they need to: the reasons that a clinic begins with, and may change."""

from collections.abc import Sequence

from core.access import Actor
from core.catalogs.catalogs import REASONS
from core.catalogs.create import create
from core.db.transaction import WriteSession
from core.errors import Conflict

CATEGORY = "delay"
DELAY_REASONS: Sequence[str] = (
    "Espera de resultados de laboratorio",
    "Espera de imágenes",
    "Espera de interconsulta",
    "Espera de visita del médico tratante",
    "Espera de medicamentos o receta",
    "Espera de epicrisis y documentos de alta",
    "Espera de traslado",
    "Espera de familiar o acompañante",
    "Espera de pago o presupuesto",
    "Espera de cama en otro centro",
    "Espera de equipos o cuidados en domicilio",
    "Caso social",
)


async def add_delay_reasons(session: WriteSession, actor: Actor, clinic_id: int) -> int:
    """Add those of DELAY_REASONS that the clinic has not, in any spelling; how many. One that it took out of use stays
    so. Audited as every new reason. Raises Invalid for an unknown clinic."""
    added = 0
    for reason in DELAY_REASONS:
        try:
            await create(
                session, actor, REASONS, clinic_id, {"reason": reason, "category": CATEGORY, "is_active": True}
            )
        except Conflict:
            continue
        added += 1
    return added
