"""Clinics: everybody reads, superusers keep them, and none is ever deleted."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from api.answers.cached import cached
from api.answers.written import Written, write
from api.requests.dependencies import CurrentUser, ReadScope, RequireSuperuser, RuntimeState
from api.requests.routing import Router
from api.requests.row_in_path import row_named
from api.responses import cached_responses, conflict, signed_in
from api.v1.catalogs.bodies import ClinicChange, ClinicIn
from api.v1.catalogs.queries import IncludeInactive
from core.access import Actor
from core.clinics.change import change
from core.clinics.create import create
from core.clinics.listing import clinics
from core.clinics.references import require_known
from core.clinics.views import ClinicItem, ClinicList
from core.db.transaction import ReadSession, WriteSession

router: Router = Router(prefix="/v1/clinics", tags=["catalogs"])


async def _exists(session: ReadSession, actor: Actor, clinic_id: int) -> None:
    await require_known(session, actor.narrowed(clinic_id))


ClinicPath = Annotated[int, row_named("clinic_id", 5, _exists)]


@router.get(
    "",
    operation_id="clinicsList",
    summary="Clinics",
    description="By name, in Spanish order. A user of a clinic sees only its own.",
    response_model=ClinicList,
    responses=cached_responses(),
)
async def clinics_list(
    request: Request, runtime: RuntimeState, _: CurrentUser, scope: ReadScope, include_inactive: IncludeInactive
) -> Response:
    return await cached(request, runtime, clinics(scope, include_inactive=include_inactive))


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
