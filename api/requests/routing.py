"""Routes that refuse in the contract's order: 401, 403, 404, 415 or 422. Only then the work begins."""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, TypeVar

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
from api.requests.file_in_body import FileInBody
from api.requests.plan import plan_of
from core.errors import AppError, FieldError, Invalid, Malformed, WrongMediaType

RequestCheck = Callable[[Request], Awaitable[object]]
CHECK = "found_when_refused"
"""The attribute that `when_refused` sets."""
F = TypeVar("F", bound=Callable[..., Any])


class Gate:
    """A dependency that decides who may use a route (401, 403). Gates run before anything else of a request is read."""

    async def __call__(self, request: Request) -> Any:
        raise TypeError(f"{type(self).__name__} decides nothing")


def when_refused(check: RequestCheck) -> Callable[[F], F]:
    """A decorator of dependencies and routes. `check` raises NotFound where what the path or the query names does not
    exist for the user. It runs only where the request is about to be refused as invalid, so that a 404 comes before a
    422; where nothing is refused, the work itself finds that out under its lock."""

    def marked(function: F) -> F:
        setattr(function, CHECK, check)
        return function

    return marked


async def _named_clinic(request: Request) -> None:
    """Raises NotFound where a body names a foreign clinic, whatever else is wrong with it."""
    try:
        body = await request.json()
    except (AppError, HTTPException):
        return
    clinic_id = body.get("clinic_id") if isinstance(body, dict) else None
    if type(clinic_id) is int:
        (await authenticate(request)).narrowed(clinic_id)


def _all(dependant: Dependant) -> Iterator[Dependant]:
    """It and all that it depends on, the innermost first."""
    for inner in dependant.dependencies:
        yield from _all(inner)
    yield dependant


class TicketHomeRoute(APIRoute):
    """A route that runs its gates, reads query and body strictly, and then does what FastAPI does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        called = dict.fromkeys(dependant.call for dependant in _all(self.dependant))
        gates = [call for call in called if isinstance(call, Gate)]
        checks: list[RequestCheck] = [getattr(call, CHECK) for call in called if hasattr(call, CHECK)]
        if gates:
            checks.append(_named_clinic)
        known = frozenset(
            field.alias
            for field in get_flat_params(self.dependant)
            if getattr(field.field_info, "in_", None) is ParamTypes.query
        )

        files = [call for call in called if isinstance(call, FileInBody)]
        plan = plan_of(self.dependant, known) if self.methods == {"GET"} else None

        async def in_order(asked: Request) -> Response:
            request = JsonRequest(asked.scope, asked.receive)
            passed = {gate: await gate(request) for gate in gates}
            try:
                if plan is not None and (values := plan.read(request)) is not None:
                    return await plan.answer(request, values, passed)
                refuse_query(request, known)
                if self.body_field is not None:
                    await refuse_other_than_json(request)
                    await request.json()
                elif files:
                    await files[0].refuse_others(request)
                elif request.method != "GET":
                    await refuse_body(request)
                return await handle(request)
            except (RequestValidationError, Invalid, Malformed, WrongMediaType) as error:
                for check in checks:
                    await found_or(check, request, error)
                raise

        return in_order


def refuse_query(request: Request, known: frozenset[str]) -> None:
    """Raises Invalid for parameters that the route does not know, or that come twice: none takes several values."""
    names = [name for name, _ in request.query_params.multi_items()]
    if known.issuperset(names) and len(names) == len(set(names)):
        return
    sent = Counter(names)
    errors = [FieldError(name, "unknown_field", "There is no such parameter.") for name in sorted(sent.keys() - known)]
    errors += [
        FieldError(name, "repeated", "It takes one value.") for name in sorted(sent.keys() & known) if sent[name] > 1
    ]
    if errors:
        raise Invalid(*errors)


async def refuse_body(request: Request) -> None:
    """For routes that read no body. Raises Invalid for one that says anything: an empty one, null and {} do not."""
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


async def found_or(check: RequestCheck, request: Request, refusal: Exception) -> None:
    """Raises what `check` raises, in place of the refusal. Where it cannot read what is named, the refusal stands."""
    try:
        await check(request)
    except Invalid:
        return
    except AppError as error:
        raise error from refusal


class Router(APIRouter):
    """An APIRouter of such routes, or of a `route_class` that adds to them."""

    def __init__(self, *, route_class: type[TicketHomeRoute] = TicketHomeRoute, **options: Any) -> None:
        super().__init__(route_class=route_class, **options)
