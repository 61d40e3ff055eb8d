"""Routes that decide in the contract's order: 401, 403, 404, 415 or 422, and only then the work."""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Set
from typing import Any

from fastapi import APIRouter, Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.requests.authentication import authenticate
from api.requests.body import JsonRequest, refuse_other_than_json
from core.errors import AppError, FieldError, Invalid, Malformed, WrongMediaType

Check = Callable[[Request], Awaitable[object]]


class Gate:
    """A dependency that decides who may: run before anything of the request is validated (401, 403)."""

    async def __call__(self, request: Request) -> Any:
        raise TypeError(f"{type(self).__name__} decides nothing")


class Exists:
    """A dependency that finds what the path or the query names: run before a 422 is told (404)."""

    def __init__(self, check: Check) -> None:
        self._check = check

    async def __call__(self, request: Request) -> Any:
        return await self._check(request)

    async def ask(self, request: Request) -> None:
        await self._check(request)


class ExistsWhenRefused(Exists):
    """Likewise, where the work itself finds the row under its lock: asked only where a 422 would be told."""

    async def __call__(self, request: Request) -> Any:
        return None


async def _named_clinic(request: Request) -> None:
    """The clinic that a body names, whatever else is wrong with it. Raises NotFound for a foreign one."""
    try:
        body = await request.json()
    except (AppError, HTTPException):
        return
    clinic_id = body.get("clinic_id") if isinstance(body, dict) else None
    if type(clinic_id) is int:
        (await authenticate(request)).narrowed(clinic_id)


NAMED_CLINIC = Exists(_named_clinic)


def _all(dependant: Dependant) -> Iterator[Dependant]:
    for inner in dependant.dependencies:
        yield from _all(inner)
        yield inner


class TicketHomeRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        gates = [d.call for d in _all(self.dependant) if isinstance(d.call, Gate)]
        checks = [d.call for d in _all(self.dependant) if isinstance(d.call, Exists)]
        known = {
            field.alias
            for field in get_flat_params(self.dependant)
            if getattr(field.field_info, "in_", None) is ParamTypes.query
        }

        async def in_order(asked: Request) -> Response:
            request = JsonRequest(asked.scope, asked.receive)
            for gate in gates:
                await gate(request)
            try:
                refuse_query(request, known)
                if self.body_field is not None:
                    await refuse_other_than_json(request)
                    await request.json()
                elif request.method != "GET":
                    await refuse_body(request)
                return await handle(request)
            except (RequestValidationError, Invalid, Malformed, WrongMediaType) as error:
                for check in checks:
                    await found_or(check, request, error)
                if gates:
                    await found_or(NAMED_CLINIC, request, error)
                raise

        return in_order


def refuse_query(request: Request, known: Set[str]) -> None:
    """Raises Invalid for parameters that the route does not know, or that come twice: none takes several values."""
    sent = Counter(name for name, _ in request.query_params.multi_items())
    errors = [FieldError(name, "unknown_field", "There is no such parameter.") for name in sorted(sent.keys() - known)]
    errors += [
        FieldError(name, "repeated", "It takes one value.") for name in sorted(sent.keys() & known) if sent[name] > 1
    ]
    if errors:
        raise Invalid(*errors)


async def refuse_body(request: Request) -> None:
    """Raises Invalid for whatever a body says where nothing is read from one; empty ones, null and {} say nothing."""
    if not await request.body():
        return
    try:
        body = await request.json()
    except AppError:
        body = ...
    if isinstance(body, dict):
        errors = [FieldError(name, "unknown_field", "There is no such field.") for name in sorted(body)]
    else:
        errors = [] if body is None else [FieldError("body", "invalid", "Nothing is read from a body here.")]
    if errors:
        raise Invalid(*errors)


async def found_or(check: Exists, request: Request, refusal: Exception) -> None:
    """Let `check` raise its NotFound in place of the refusal; what it cannot read leaves the refusal as it is."""
    try:
        await check.ask(request)
    except Invalid:
        return
    except AppError as error:
        raise error from refusal


class Router(APIRouter):
    """An APIRouter of such routes, or of a `route_class` that adds to them."""

    def __init__(self, *, route_class: type[TicketHomeRoute] = TicketHomeRoute, **options: Any) -> None:
        super().__init__(route_class=route_class, **options)
