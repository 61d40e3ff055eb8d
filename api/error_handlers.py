"""Every error that a route raises becomes a problem: core's AppErrors, FastAPI's validation, Starlette's own.

The only place that knows which error has which status.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from api.problems import problem
from core import errors
from core.errors import AppError, FieldError, Invalid, Malformed

STATUS: Mapping[type[AppError], int] = {
    errors.Malformed: 400,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.NotAcceptable: 406,
    errors.Conflict: 409,
    errors.RevisionMismatch: 412,
    errors.WrongMediaType: 415,
    errors.Invalid: 422,
    errors.RevisionRequired: 428,
    errors.TooManyAttempts: 429,
    errors.Unavailable: 503,
}


def of_app_error(error: AppError) -> Response:
    """The problem that an AppError is answered with; 500 for a kind that STATUS does not have."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    headers = {}
    members: dict[str, Any] = dict(error.extra)
    if isinstance(error, errors.TooManyAttempts | errors.Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Invalid):
        members["errors"] = [{"path": as_text(e.path), "code": e.code, "message": e.message} for e in error.errors]
    return problem(status, error.code, error.detail, headers=headers, **members)


def as_text(path: str) -> str:
    """JSON's escapes can name a field by half a surrogate pair, which no answer can say."""
    return path.encode(errors="replace").decode()


def invalid_from(error: RequestValidationError) -> AppError:
    """FastAPI's own validation errors in our form. What was sent is not repeated: it may be a password."""
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return Malformed("The body is not valid JSON.")
    fields = []
    for one in found:
        cause = (one.get("ctx") or {}).get("error")
        if isinstance(cause, Exception):
            # Its frames have the list that it is itself in, and the request with its connection: a circle.
            cause.__traceback__ = None
        if isinstance(cause, Invalid):
            return cause
        place = [str(part) for part in one["loc"]]
        path = ".".join(place[1:] or place)
        fields.append(FieldError(path, code_of(one["type"]), str(one["msg"])))
    return Invalid(*fields)


def code_of(kind: str) -> str:
    """pydantic's error types in the contract's words; they are stable too."""
    return {"missing": "required", "extra_forbidden": "unknown_field", "value_error": "invalid"}.get(kind, kind)


async def _app_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)  # noqa: S101  registered for it alone
    return of_app_error(error)


async def _validation(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for it alone
    return of_app_error(invalid_from(error))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for it alone
    code, detail = {
        400: ("malformed_json", "The body is not valid JSON."),
        404: ("not_found", "There is no such thing here."),
        405: ("method_not_allowed", "This path does not take that method."),
        413: ("body_too_large", "A body may have 1 MiB at most, and 32 KiB where one signs in."),
    }.get(error.status_code, ("http_error", str(error.detail)))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        # Starlette names the methods of the first route of this path only.
        allowed = methods_at(request.app, request.url.path) or headers.get("Allow", "").split(", ")
        # HEAD is wherever GET is (api/middleware/head.py).
        headers["Allow"] = ", ".join(sorted({*allowed, "HEAD"} if "GET" in allowed else allowed))
    return problem(error.status_code, code, detail, headers=headers)


def methods_at(app: FastAPI, path: str) -> list[str]:
    """The methods that the contract has for a path, sorted."""
    paths = app.openapi()["paths"]
    items = (
        [paths[path]]
        if path in paths
        else [item for template, item in paths.items() if compile_path(template)[0].match(path)]
    )
    return sorted({method.upper() for item in items for method in item})


def register(app: FastAPI) -> None:
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
