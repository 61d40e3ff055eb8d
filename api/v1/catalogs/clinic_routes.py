"""Clinics are kept by superusers, and never deleted."""

from fastapi import Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.openapi import conflict, signed_in
from api.requests.dependencies import RequireSuperuser, RuntimeState
from api.requests.routing import Router
from api.v1.catalogs.bodies import ClinicChange, ClinicIn
from api.v1.catalogs.path import ClinicPath
from core.clinics.change import change
from core.clinics.create import create
from core.clinics.views import ClinicItem
from core.db.transaction import WriteSession

router: Router = Router(prefix="/v1/clinics", tags=["catalogs"])


@router.post(
    "",
    operation_id="clinicsCreate",
    summary="A new clinic",
    description="Its prefix, four letters, comes from its name: without `Clínica RedSalud`, accents and all but "
    "letters; where that is taken, the next free letters.",
    status_code=201,
    response_model=ClinicItem,
    responses=signed_in(400, 413) | conflict("Another clinic has this name.", "duplicate"),
)
async def clinic_create(request: Request, runtime: RuntimeState, actor: RequireSuperuser, body: ClinicIn) -> Response:
    async def work(session: WriteSession) -> Written:
        made = await create(session, actor, name=body.name, timezone=body.timezone, is_active=body.is_active)
        return Written(201, made)

    return await write(request, runtime, actor, work)


@router.patch(
    "/{clinic_id}",
    operation_id="clinicsChange",
    summary="Change a clinic, or close it",
    description="Absent fields stay, and so does the prefix, which tickets carry. Closing it (`is_active` false) ends "
    "its users' sessions; its tickets still count in the network. The time zone is fixed once it has tickets "
    "(`timezone_fixed`).",
    response_model=ClinicItem,
    responses=signed_in(400, 413)
    | conflict("Another clinic has this name; or it has tickets, and its time zone is fixed.", "timezone_fixed"),
)
async def clinic_change(
    request: Request, runtime: RuntimeState, actor: RequireSuperuser, clinic_id: ClinicPath, body: ClinicChange
) -> Response:
    async def work(session: WriteSession) -> Written:
        return Written(200, await change(session, actor, clinic_id, body.values()))

    return await write(request, runtime, actor, work)
