"""The catalog rows that paths name."""

from typing import Annotated, Any

from api.requests.path import row_named
from core.access import Actor
from core.catalogs.kinds import DOCTOR, REASON, SPECIALTY, SURGERY, Kind
from core.catalogs.references import require_row
from core.clinics.references import require_known
from core.db.transaction import ReadSession


def _of(kind: Kind, example: int) -> Any:
    async def require(session: ReadSession, actor: Actor, row_id: int) -> None:
        await require_row(session, actor.scope, kind, row_id)

    return row_named(f"{kind.name}_id", example, require)


async def _clinic(session: ReadSession, actor: Actor, clinic_id: int) -> None:
    await require_known(session, actor.narrowed(clinic_id))


ClinicPath = Annotated[int, row_named("clinic_id", 5, _clinic)]
SpecialtyPath = Annotated[int, _of(SPECIALTY, 2)]
SurgeryPath = Annotated[int, _of(SURGERY, 3)]
DoctorPath = Annotated[int, _of(DOCTOR, 7)]
ReasonPath = Annotated[int, _of(REASON, 9)]
