"""The catalogs that forms choose from, each one cached per clinic until a row of it changes."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.answers.cached import cached
from api.openapi import cached_responses
from api.requests.dependencies import CurrentUser, ReadScope, RuntimeState
from api.requests.fields import Id
from api.requests.routing import Router
from api.v1.catalogs.queries import IncludeInactive
from core.catalogs.listing import DOCTORS, REASONS, SPECIALTIES, SURGERIES
from core.catalogs.views import Category, DoctorList, ReasonList, SpecialtyList, SurgeryList
from core.clinics.listing import clinics
from core.clinics.views import ClinicList

router: Router = Router(prefix="/v1", tags=["catalogs"])

ORDER = (
    "By name, in Spanish order. A user of a clinic reads that clinic's; a superuser without `clinic_id` the whole "
    "network's."
)


@router.get(
    "/clinics",
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


@router.get(
    "/specialties",
    operation_id="specialtiesList",
    summary="Specialties",
    description=ORDER,
    response_model=SpecialtyList,
    responses=cached_responses(),
)
async def specialties_list(
    request: Request, runtime: RuntimeState, _: CurrentUser, scope: ReadScope, include_inactive: IncludeInactive
) -> Response:
    asked = SPECIALTIES.cached_read(scope, include_inactive=include_inactive)
    return await cached(request, runtime, asked)


@router.get(
    "/surgeries",
    operation_id="surgeriesList",
    summary="Surgeries, of one specialty or of all",
    description=ORDER,
    response_model=SurgeryList,
    responses=cached_responses(),
)
async def surgeries_list(
    request: Request,
    runtime: RuntimeState,
    _: CurrentUser,
    scope: ReadScope,
    include_inactive: IncludeInactive,
    specialty_id: Annotated[Id | None, Query(description="Those of this specialty; 404 where it is no such.")] = None,
) -> Response:
    asked = SURGERIES.cached_read(scope, include_inactive=include_inactive, specialty_id=specialty_id)
    return await cached(request, runtime, asked)


@router.get(
    "/doctors",
    operation_id="doctorsList",
    summary="Doctors",
    description=ORDER,
    response_model=DoctorList,
    responses=cached_responses(),
)
async def doctors_list(
    request: Request, runtime: RuntimeState, _: CurrentUser, scope: ReadScope, include_inactive: IncludeInactive
) -> Response:
    asked = DOCTORS.cached_read(scope, include_inactive=include_inactive)
    return await cached(request, runtime, asked)


@router.get(
    "/reasons",
    operation_id="reasonsList",
    summary="Standardized reasons, of one category or of all",
    description=ORDER,
    response_model=ReasonList,
    responses=cached_responses(),
)
async def reasons_list(
    request: Request,
    runtime: RuntimeState,
    _: CurrentUser,
    scope: ReadScope,
    include_inactive: IncludeInactive,
    category: Annotated[Category | None, Query()] = None,
) -> Response:
    asked = REASONS.cached_read(scope, include_inactive=include_inactive, category=category)
    return await cached(request, runtime, asked)
