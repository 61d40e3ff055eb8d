"""Catalogs are kept by superusers. Nothing is deleted: what is out of use is not active, and tickets keep its name."""

from fastapi import Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.openapi import Responses, conflict, signed_in
from api.requests.dependencies import RequireSuperuser, RuntimeState
from api.requests.routing import Router
from api.v1.catalogs.bodies import (
    Change,
    DoctorChange,
    DoctorIn,
    New,
    ReasonChange,
    ReasonIn,
    SpecialtyChange,
    SpecialtyIn,
    SurgeryChange,
    SurgeryIn,
)
from api.v1.catalogs.path import DoctorPath, ReasonPath, SpecialtyPath, SurgeryPath
from core.access import Actor
from core.catalogs.change import change
from core.catalogs.create import create
from core.catalogs.kinds import DOCTOR, REASON, SPECIALTY, SURGERY, Kind
from core.catalogs.views import DoctorItem, ReasonItem, SpecialtyItem, SurgeryItem
from core.db.transaction import WriteSession
from core.runtime import Runtime

router: Router = Router(prefix="/v1", tags=["catalogs"])

KEPT = "Absent fields stay, null clears. What was written in tickets stays there."


def refusals(meaning: str) -> Responses:
    return signed_in(400, 413) | conflict(meaning, "duplicate")


async def made(request: Request, runtime: Runtime, actor: Actor, kind: Kind, clinic_id: int, body: New) -> Response:
    async def work(session: WriteSession) -> Written:
        return Written(201, await create(session, actor, kind, clinic_id, body.values()))

    return await write(request, runtime, actor, work)


async def changed(request: Request, runtime: Runtime, actor: Actor, kind: Kind, row_id: int, body: Change) -> Response:
    async def work(session: WriteSession) -> Written:
        return Written(200, await change(session, actor, kind, row_id, body.values()))

    return await write(request, runtime, actor, work)


@router.post(
    "/specialties",
    operation_id="specialtiesCreate",
    summary="A new specialty of a clinic",
    status_code=201,
    response_model=SpecialtyItem,
    responses=refusals("The clinic has a specialty of this name."),
)
async def specialty_create(
    request: Request, runtime: RuntimeState, actor: RequireSuperuser, body: SpecialtyIn
) -> Response:
    return await made(request, runtime, actor, SPECIALTY, body.clinic_id, body)


@router.patch(
    "/specialties/{specialty_id}",
    operation_id="specialtiesChange",
    summary="Change a specialty, or take it out of use",
    description=KEPT,
    response_model=SpecialtyItem,
    responses=refusals("The clinic has another specialty of this name."),
)
async def specialty_change(
    request: Request,
    runtime: RuntimeState,
    actor: RequireSuperuser,
    specialty_id: SpecialtyPath,
    body: SpecialtyChange,
) -> Response:
    return await changed(request, runtime, actor, SPECIALTY, specialty_id, body)


@router.post(
    "/surgeries",
    operation_id="surgeriesCreate",
    summary="A new surgery of a clinic",
    status_code=201,
    response_model=SurgeryItem,
    responses=refusals("The clinic has a surgery of this name."),
)
async def surgery_create(request: Request, runtime: RuntimeState, actor: RequireSuperuser, body: SurgeryIn) -> Response:
    return await made(request, runtime, actor, SURGERY, body.clinic_id, body)


@router.patch(
    "/surgeries/{surgery_id}",
    operation_id="surgeriesChange",
    summary="Change a surgery, or take it out of use",
    description=KEPT,
    response_model=SurgeryItem,
    responses=refusals("The clinic has another surgery of this name."),
)
async def surgery_change(
    request: Request, runtime: RuntimeState, actor: RequireSuperuser, surgery_id: SurgeryPath, body: SurgeryChange
) -> Response:
    return await changed(request, runtime, actor, SURGERY, surgery_id, body)


@router.post(
    "/doctors",
    operation_id="doctorsCreate",
    summary="A new doctor of a clinic",
    description="Two may have one name, but not one RUT.",
    status_code=201,
    response_model=DoctorItem,
    responses=refusals("A doctor of the clinic has this RUT."),
)
async def doctor_create(request: Request, runtime: RuntimeState, actor: RequireSuperuser, body: DoctorIn) -> Response:
    return await made(request, runtime, actor, DOCTOR, body.clinic_id, body)


@router.patch(
    "/doctors/{doctor_id}",
    operation_id="doctorsChange",
    summary="Change a doctor, or take one out of use",
    description=KEPT,
    response_model=DoctorItem,
    responses=refusals("Another doctor of the clinic has this RUT."),
)
async def doctor_change(
    request: Request, runtime: RuntimeState, actor: RequireSuperuser, doctor_id: DoctorPath, body: DoctorChange
) -> Response:
    return await changed(request, runtime, actor, DOCTOR, doctor_id, body)


@router.post(
    "/reasons",
    operation_id="reasonsCreate",
    summary="A new standardized reason of a clinic",
    status_code=201,
    response_model=ReasonItem,
    responses=refusals("The clinic has this reason in this category."),
)
async def reason_create(request: Request, runtime: RuntimeState, actor: RequireSuperuser, body: ReasonIn) -> Response:
    return await made(request, runtime, actor, REASON, body.clinic_id, body)


@router.patch(
    "/reasons/{reason_id}",
    operation_id="reasonsChange",
    summary="Change a standardized reason, or take it out of use",
    description=KEPT,
    response_model=ReasonItem,
    responses=refusals("The clinic has another such reason in this category."),
)
async def reason_change(
    request: Request, runtime: RuntimeState, actor: RequireSuperuser, reason_id: ReasonPath, body: ReasonChange
) -> Response:
    return await changed(request, runtime, actor, REASON, reason_id, body)
