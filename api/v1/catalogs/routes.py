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
from core.cache.keys import Parameter
from core.catalogs.listing import DOCTORS, REASONS, SPECIALTIES, SURGERIES
from core.catalogs.thresholds import THRESHOLDS, thresholds_loader
from core.catalogs.views import Category, DoctorList, ReasonList, SpecialtyList, SurgeryList, ThresholdList
from core.clinics.listing import CLINICS, clinics_loader
from core.clinics.views import ClinicList
from core.tickets.discharge_blocks import DISCHARGE_BLOCKS, discharge_blocks_loader
from core.tickets.views import DischargeBlockList

router: Router = Router(prefix="/v1", tags=["catalogs"])

ORDER = (
    "By name, in Spanish order. A user of a clinic reads that clinic's; a superuser without `clinic_id` the whole "
    "network's."
)


def parameters(*, include_inactive: bool, **filters: Parameter) -> dict[str, Parameter]:
    """Of the entry's key: absent where they do not differ from the plain list."""
    return {"include_inactive": True if include_inactive else None, **filters}


@router.get(
    "/clinics",
    operation_id="clinicsList",
    summary="Clinics",
    description="By name, in Spanish order. A user of a clinic sees only its own.",
    response_model=ClinicList,
    responses=cached_responses(),
)
async def clinics(
    request: Request, runtime: RuntimeState, _: CurrentUser, scope: ReadScope, include_inactive: IncludeInactive
) -> Response:
    loader = clinics_loader(scope, include_inactive=include_inactive)
    key = parameters(include_inactive=include_inactive)
    return await cached(request, runtime, CLINICS, scope.clinic_id, key, loader)


@router.get(
    "/specialties",
    operation_id="specialtiesList",
    summary="Specialties",
    description=ORDER,
    response_model=SpecialtyList,
    responses=cached_responses(),
)
async def specialties(
    request: Request, runtime: RuntimeState, _: CurrentUser, scope: ReadScope, include_inactive: IncludeInactive
) -> Response:
    loader = SPECIALTIES.loader(scope, include_inactive=include_inactive)
    key = parameters(include_inactive=include_inactive)
    return await cached(request, runtime, SPECIALTIES.policy, scope.clinic_id, key, loader)


@router.get(
    "/surgeries",
    operation_id="surgeriesList",
    summary="Surgeries, of one specialty or of all",
    description=ORDER,
    response_model=SurgeryList,
    responses=cached_responses(),
)
async def surgeries(
    request: Request,
    runtime: RuntimeState,
    _: CurrentUser,
    scope: ReadScope,
    include_inactive: IncludeInactive,
    specialty_id: Annotated[Id | None, Query(description="Those of this specialty; 404 where it is no such.")] = None,
) -> Response:
    loader = SURGERIES.loader(scope, include_inactive=include_inactive, within=specialty_id)
    key = parameters(include_inactive=include_inactive, specialty_id=specialty_id)
    return await cached(request, runtime, SURGERIES.policy, scope.clinic_id, key, loader)


@router.get(
    "/doctors",
    operation_id="doctorsList",
    summary="Doctors",
    description=ORDER,
    response_model=DoctorList,
    responses=cached_responses(),
)
async def doctors(
    request: Request, runtime: RuntimeState, _: CurrentUser, scope: ReadScope, include_inactive: IncludeInactive
) -> Response:
    loader = DOCTORS.loader(scope, include_inactive=include_inactive)
    key = parameters(include_inactive=include_inactive)
    return await cached(request, runtime, DOCTORS.policy, scope.clinic_id, key, loader)


@router.get(
    "/reasons",
    operation_id="reasonsList",
    summary="Standardized reasons, of one category or of all",
    description=ORDER,
    response_model=ReasonList,
    responses=cached_responses(),
)
async def reasons(
    request: Request,
    runtime: RuntimeState,
    _: CurrentUser,
    scope: ReadScope,
    include_inactive: IncludeInactive,
    category: Annotated[Category | None, Query()] = None,
) -> Response:
    loader = REASONS.loader(scope, include_inactive=include_inactive, category=category)
    key = parameters(include_inactive=include_inactive, category=category)
    return await cached(request, runtime, REASONS.policy, scope.clinic_id, key, loader)


@router.get(
    "/urgency-thresholds",
    operation_id="urgencyThresholdsList",
    summary="Urgency thresholds that hold",
    description="Of a clinic: one item, its own or the global ones (`inherited`). Of the network: the global ones "
    "(`clinic_id` null) first, then those that hold in each active clinic, by its name; `include_inactive` adds the "
    "inactive clinics'.",
    response_model=ThresholdList,
    responses=cached_responses(),
)
async def urgency_thresholds(
    request: Request, runtime: RuntimeState, _: CurrentUser, scope: ReadScope, include_inactive: IncludeInactive
) -> Response:
    loader = thresholds_loader(scope, include_inactive=include_inactive)
    key = parameters(include_inactive=include_inactive)
    return await cached(request, runtime, THRESHOLDS, scope.clinic_id, key, loader)


@router.get(
    "/discharge-blocks",
    operation_id="dischargeBlocksList",
    summary="The 24 discharge blocks",
    description="By the hour at which they end, the same in every clinic. None is ever inactive.",
    response_model=DischargeBlockList,
    responses=cached_responses(),
)
async def discharge_blocks(
    request: Request, runtime: RuntimeState, _: CurrentUser, scope: ReadScope, __: IncludeInactive
) -> Response:
    return await cached(request, runtime, DISCHARGE_BLOCKS, scope.clinic_id, {}, discharge_blocks_loader(scope))
