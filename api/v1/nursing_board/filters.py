"""What the nursing board takes in its query beside what lists of tickets do."""

from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import Field

from api.requests.dependencies import require_named
from api.requests.fields import Date, Digits, Id, Text
from api.requests.routing import when_refused
from api.v1.tickets.filters import DoctorId, iso, require_dates
from core.access import ClinicScope
from core.board.filter import BoardFilter
from core.cache.keys import Parameter
from core.catalogs.models import Doctor, Specialty
from core.db.row_ids import row_id
from core.db.transaction import ReadSession
from core.tickets.reads.filters import require_known

MOST = 500
"""Tickets on a page: a whole ward on one screen."""

BoardLimit = Annotated[int, Field(ge=1, le=MOST), Digits, Query(description=f"Items on a page, at most {MOST}.")]
SpecialtyId = Annotated[
    Id | None, Query(description="Tickets of surgeries of this specialty; 404 where it is none of the clinic's.")
]
Location = Annotated[
    Text | None, Query(min_length=1, max_length=50, description="In any spelling of it.", examples=["Piso 3"])
]
FpaFrom = Annotated[Date | None, Query(description="First local date of the FPA.")]
FpaTo = Annotated[Date | None, Query(description="Last local date of the FPA, inclusive.")]
SurgeryFrom = Annotated[Date | None, Query(description="First local date of the surgery.")]
SurgeryTo = Annotated[Date | None, Query(description="Last local date of the surgery, inclusive.")]


async def _named_exist(request: Request) -> None:
    """The doctor and the specialty that the query names. Raises NotFound for an unknown one."""
    asked = request.query_params
    named = {Doctor: row_id(asked.get("doctor_id", "")), Specialty: row_id(asked.get("specialty_id", ""))}

    async def require(session: ReadSession, scope: ClinicScope) -> None:
        await require_known(session, scope, named)

    await require_named(request, require)


@when_refused(_named_exist)
async def _board_filters(
    doctor_id: DoctorId = None,
    specialty_id: SpecialtyId = None,
    location: Location = None,
    fpa_from: FpaFrom = None,
    fpa_to: FpaTo = None,
    surgery_from: SurgeryFrom = None,
    surgery_to: SurgeryTo = None,
) -> BoardFilter:
    require_dates(fpa_from=fpa_from, fpa_to=fpa_to)
    require_dates(surgery_from=surgery_from, surgery_to=surgery_to)
    return BoardFilter(doctor_id, specialty_id, location, fpa_from, fpa_to, surgery_from, surgery_to)


BoardFilters = Annotated[BoardFilter, Depends(_board_filters)]
"""Raises Invalid for dates in the wrong order."""


def board_parameters(asked: BoardFilter, **more: Parameter) -> dict[str, Parameter]:
    """Of a cursor or a flight: all of the filter, and `more` beside it."""
    return {
        "doctor_id": asked.doctor_id,
        "specialty_id": asked.specialty_id,
        "location": asked.location,
        "fpa_from": iso(asked.fpa_from),
        "fpa_to": iso(asked.fpa_to),
        "surgery_from": iso(asked.surgery_from),
        "surgery_to": iso(asked.surgery_to),
        **more,
    }
