"""/docs and /redoc without internet: hospitals' networks are closed, so the scripts are files of this package."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

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


@router.get("/")
async def root() -> RedirectResponse:
    """Until there are pages of our own: whoever types the address alone wants to see what is here."""
    return RedirectResponse("/docs")


@router.get("/docs")
async def docs() -> FileResponse:
    return page("docs.html")


@router.get("/redoc")
async def redoc() -> FileResponse:
    return page("redoc.html")


def mount(app: FastAPI) -> None:
    app.include_router(router)
    app.mount("/docs/static", StaticFiles(directory=STATIC), name="docs-static")
