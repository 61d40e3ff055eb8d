"""A plan calls a route with what FastAPI would call it with, and leaves to FastAPI what it would refuse."""

import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params, solve_dependencies
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.requests.plan import Plan, Values, plan_of
from api.requests.routing import refuse_query
from api.v1.routers import ROUTERS
from core.access import Actor, Role
from core.errors import AppError

ROUTES = {
    route.path: route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.methods == {"GET"}
}
VALUES = [
    "",
    "1",
    "2",
    "0",
    "-1",
    "5",
    "50",
    "9999999999",
    "true",
    "false",
    "x",
    "TH-SANT-2026-001",
    " ",
    "2026-03-01",
    "ñ",
]
"""Some of them right for some parameter; with them what each parameter's own type names."""
BY_FASTAPI = {"/v1/urgency-thresholds", "/v1/discharge-blocks"}
"""With fastapi-cache2's `@cache`, which returns what FastAPI makes a response of."""


def named(route: APIRoute) -> list[str]:
    return sorted({field.alias for field in get_flat_params(route.dependant)})


def planned(route: APIRoute) -> Plan:
    query = {field.alias for field in get_flat_params(route.dependant)} - set(route.param_convertors)
    plan = plan_of(route.dependant, frozenset(query))
    assert plan is not None
    return plan


def echoing(plan: Plan) -> Plan:
    """One whose route gives back what it is called with."""

    async def route(**arguments: Any) -> Any:
        return arguments

    *before, last = plan._calls
    return Plan((*before, replace(last, function=route)), plan._known)


def asking(query: str, path: dict[str, str], role: Role) -> Request:
    actor = Actor(1, "a", "a@example.org", role, None if role is Role.SUPERUSER else 1, 1, "web")
    state = SimpleNamespace(runtime=SimpleNamespace())
    scope = {
        **{"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "path_params": path},
        **{"headers": [], "state": {"actor": actor}, "app": SimpleNamespace(state=state)},
    }
    return Request(scope)


async def by_plan(plan: Plan, request: Request, values: Values) -> Any:
    """What it calls the route with; the error that a dependency raises."""
    try:
        return await plan.answer(request, values, {})
    except AppError as error:
        return error


async def by_fastapi(route: APIRoute, request: Request) -> Any:
    """What it calls the route with; None where it refuses; the error that a dependency raises."""
    async with AsyncExitStack() as stack:
        request.scope["fastapi_inner_astack"] = request.scope["fastapi_function_astack"] = stack
        try:
            refuse_query(request, frozenset(named(route)) - set(route.param_convertors))
            solved = await solve_dependencies(
                request=request, dependant=route.dependant, async_exit_stack=stack, embed_body_fields=False
            )
        except AppError as error:
            return error
    return None if solved.errors else solved.values


def asked(route: APIRoute, chosen: random.Random) -> Iterator[tuple[str, dict[str, str]]]:
    """(query, path)"""
    names = [*(set(named(route)) - set(route.param_convertors)), "unknown"]
    values = [
        *VALUES,
        *(str(example) for field in get_flat_params(route.dependant) for example in field.field_info.examples or ()),
    ]
    yield "", dict.fromkeys(route.param_convertors, "TH-SANT-2026-001")
    for _ in range(80):
        query = [(chosen.choice(names), chosen.choice(values)) for _ in range(chosen.choice([1, 1, 1, 2, 3]))]
        yield urlencode(query), {name: chosen.choice(values) for name in route.param_convertors}


def test_only_routes_of_plain_cache_are_left_to_fastapi() -> None:
    assert {path for path, route in ROUTES.items() if plan_of(route.dependant, frozenset()) is None} == BY_FASTAPI


@pytest.mark.parametrize("path", sorted(ROUTES.keys() - BY_FASTAPI))
async def test_a_plan_is_what_fastapi_does(path: str) -> None:
    route, chosen = ROUTES[path], random.Random(path)
    plan, refused, called = planned(route), 0, 0
    for query, of_path in asked(route, chosen):
        for role in (Role.SUPERUSER, Role.VIEWER):
            theirs = await by_fastapi(route, asking(query, of_path, role))
            request = asking(query, of_path, role)
            values = plan.read(request)
            if values is None:
                refused += 1
                assert theirs is None or isinstance(theirs, AppError), query
                continue
            ours = await by_plan(echoing(plan), request, values)
            if isinstance(ours, AppError):
                assert type(ours) is type(theirs), query
            else:
                called += 1
                assert _comparable(ours) == _comparable(theirs), query
    assert called > 0
    assert refused > 0


def _comparable(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if not isinstance(value, Request | SimpleNamespace)}


async def plain(request: Request) -> int:
    return 1


async def answered(request: Request) -> Response:
    return Response()


@pytest.mark.parametrize(
    "dependant",
    [
        Dependant(call=plain),
        Dependant(call=answered, background_tasks_param_name="tasks"),
        Dependant(call=answered, dependencies=[Dependant(call=lambda: 1)]),
        Dependant(call=answered, dependencies=[Dependant(call=plain, use_cache=False)]),
        Dependant(call=answered, dependencies=[Dependant(call=plain, scope="request")]),
    ],
)
def test_what_a_plan_does_not_cover_has_none(dependant: Dependant) -> None:
    assert plan_of(Dependant(call=answered), frozenset()) is not None
    assert plan_of(dependant, frozenset()) is None
