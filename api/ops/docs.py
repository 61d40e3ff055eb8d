"""The contract, and /docs and /redoc without internet: hospitals are closed networks, so the scripts are files here."""

import json
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from api.answers.cached import respond
from api.requests.headers.request_headers import headers_of
from core.cache.entry import Entry

STATIC = Path(__file__).parent / "static"

# Both viewers set styles inline, and ReDoc searches in a worker made from a blob. Scripts come from us alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'"
)

router = APIRouter(include_in_schema=False)


def page(name: str) -> FileResponse:
    return FileResponse(STATIC / name, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})


@router.get("/docs")
async def docs() -> FileResponse:
    return page("docs.html")


@router.get("/redoc")
async def redoc() -> FileResponse:
    return page("redoc.html")


@router.get("/openapi.json")
async def contract(request: Request) -> Response:
    return respond(headers_of(request.scope), contract_of(request.app))


def contract_of(app: FastAPI) -> Entry:
    """Encoded once: it has hundreds of kilobytes, and anybody may ask for it, as often as they like."""
    if app.state.contract is None:
        body = json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
        app.state.contract = Entry.make(body, computed_at=0.0)
    made: Entry = app.state.contract
    return made


def mount(app: FastAPI) -> None:
    app.mount("/docs/static", StaticFiles(directory=STATIC), name="docs-static")
