"""The contract that integrators read: the document at /openapi.json, made of the routes and of what all of them share.

`python -m api.openapi` prints it; `tests/contract/openapi.json` is the committed copy.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.problems import Problem
from api.responses import header, problems

VERSION = "1.0.0"
TITLE = "Ticket Home"
DESCRIPTION = """
Surgical discharge planning for a network of clinics. A patient's stay is a **ticket** with an **FPA** (*fecha probable
de alta*, the probable discharge time).

* Sign in with `POST /v1/auth/login`: a web client gets a cookie, a mobile client a bearer token.
* Errors are `application/problem+json`; switch on `code`. Whatever is asked, 408 (`request_timeout`), 431
  (`headers_too_large`), 505 (`http_version`) and 400 (`malformed_request`) may come before anybody has looked at it.
* `Cache-Status` and `Age` tell where an answer comes from and how old it is. Send the `Cache-Version` of your last
  write with a read, and its answer is at least that new, whichever process gives it.
* Times carry the clinic's offset. A time sent without one is the clinic's local time.
"""

TAGS = [
    {"name": "auth", "description": "Signing in and out, and who one is."},
    {"name": "dashboard", "description": "A clinic's or the network's figures, cached and exact to the second."},
    {"name": "nursing board", "description": "What matters now on the wards, with the counts of everything."},
    {"name": "tickets", "description": "Stays: create, modify the FPA, discharge, annul."},
    {"name": "events", "description": "What has changed, as it happens."},
    {"name": "exports", "description": "Tickets for a spreadsheet, and everything for whoever moves away."},
    {"name": "fpa", "description": "The calculation of the probable discharge time."},
    {"name": "catalogs", "description": "Clinics, specialties, surgeries, doctors, reasons, thresholds, blocks."},
    {"name": "users", "description": "Who may sign in, as what and where."},
    {"name": "audit", "description": "Who signed in, and who did what: kept for good, changed by nobody."},
    {"name": "admin", "description": "The cache: its figures, and invalidation."},
    {"name": "operations", "description": "For machines: alive, ready, metrics."},
]

HEADERS = {
    "X-Request-ID": header(
        "Yours, if it was well formed, else ours. Name it to whoever looks into the log.",
        "string",
        "6f1c2d0a9b7e4c5d8e3f2a1b0c9d8e7f",
    ),
    "Retry-After": header("Seconds after which to try again.", "integer", 2),
    "Cache-Version": header(
        "The versions that this write made, absent where it made none. Sent back with a read, the answer is at least"
        " that new, whichever process gives it.",
        "string",
        "5/tickets=4242424242.9f3c5d8e3f2a1b0c",
    ),
    "Idempotency-Replayed": header("`true` where this is the first answer again; else absent.", "string", "true"),
}
"""Described once, in the components."""
METRICS = "metrics"
IAP = "iap"
WITHOUT_SESSION: dict[str, list[dict[str, list[str]]]] = {
    "metrics": [{}, {METRICS: []}],
    "authLogin": [],
    "authIap": [{IAP: []}],
    "authDisplay": [],
}
"""Operations that are refused with a 401, and by what else than a session they are asked: of none of these the document
says that they need one."""
MAKE_NO_VERSION = frozenset({"authLogin", "fpaPreview"})


def headers_of(method: str, operation: dict[str, Any], status: str) -> Iterator[str]:
    """Names of those HEADERS that an answer of this status has."""
    yield "X-Request-ID"
    if status in ("429", "503"):
        yield "Retry-After"
    if method != "get" and status.startswith("2"):
        if operation["operationId"] not in MAKE_NO_VERSION:
            yield "Cache-Version"
        if IDEMPOTENCY_KEY in operation.get("parameters", ()):
            yield "Idempotency-Replayed"


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same body, the first answer comes again. Kept for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "0b6c7a0e-4d1c-4c58-9a3e-2f9f1d6b8c11",
}


def describe(app: FastAPI, *, cookie: str, routers: Iterable[APIRouter]) -> None:
    """Give the application its OpenAPI document, made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document(app, cookie, routers)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents it so


def document(app: FastAPI, cookie: str, routers: Iterable[APIRouter]) -> dict[str, Any]:
    """The OpenAPI document: FastAPI's, with problems, security and shared headers for every operation."""
    made = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes, tags=TAGS)
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    restore_examples(made, routers)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    components["headers"] = HEADERS
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The `token` of a mobile or display login."},
        "cookie": {"type": "apiKey", "in": "cookie", "name": cookie, "description": "Set by a web login."},
        METRICS: {
            "type": "http",
            "scheme": "bearer",
            "description": "`METRICS_TOKEN`, where the operator has set one.",
        },
        IAP: {
            "type": "apiKey",
            "in": "header",
            "name": "X-Goog-IAP-JWT-Assertion",
            "description": "Google's Identity-Aware Proxy adds it to what it lets through; clients do not.",
        },
    }
    for path in made["paths"].values():
        for method, operation in path.items():
            without = WITHOUT_SESSION.get(operation["operationId"])
            if without:
                operation["security"] = without
            elif "401" in operation["responses"] and without is None:
                operation["security"] = [{"bearer": []}, {"cookie": []}]
                require_if_match(operation)
                # A logout sent again meets an ended session: there is nothing to replay to.
                if method == "post" and operation["operationId"] != "authLogout":
                    operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            if "requestBody" in operation:
                operation["responses"].setdefault("415", problems(415)[415])
            for status, answer in operation["responses"].items():
                headers = answer.setdefault("headers", {})
                for name in headers_of(method, operation, status):
                    headers[name] = {"$ref": f"#/components/headers/{name}"}
    return made


def require_if_match(operation: dict[str, Any]) -> None:
    """Clients must send it. That it may be absent in the route is so that its absence is a 428, after 404 and 422."""
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "If-Match":
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "examples": ['"3"']}


def restore_examples(made: dict[str, Any], routers: Iterable[APIRouter]) -> None:
    """FastAPI drops every null from the document, also those that belong to an example."""
    schemas = made["components"]["schemas"]
    kinds = [BaseModel]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        extra = kind.model_config.get("json_schema_extra")
        if isinstance(extra, dict) and "examples" in extra and kind.__name__ in schemas:
            schemas[kind.__name__]["examples"] = extra["examples"]
    for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
        for method in route.methods or ():
            answers = made["paths"][route.path_format][method.lower()]["responses"]
            for status, answer in route.responses.items():
                for media, content in answer.get("content", {}).items():
                    if "example" in content:
                        answers[str(status)]["content"][media]["example"] = content["example"]


def text(document: dict[str, Any]) -> str:
    """The committed form: stable under review."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    from api.app import create_app

    sys.stdout.write(text(create_app().openapi()))
