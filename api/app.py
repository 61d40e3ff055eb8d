"""The application: middleware in order, error handlers, routers."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from api import openapi, problems
from api.lifespan import lifespan_with
from api.middleware.body_limit import BodyLimit
from api.middleware.cross_origin import CrossOrigin
from api.middleware.deadline import Decided
from api.middleware.head import Head
from api.middleware.observe import Observe
from api.middleware.request_id import RequestId
from api.middleware.request_stats import RequestStats
from api.middleware.security_headers import SecurityHeaders
from api.middleware.single_headers import SingleHeaders
from api.ops import docs
from api.ops.routes import router as ops
from api.v1.routers import ROUTERS
from core.cache.versions.header import VersionHeader
from core.log import configure
from core.settings import Settings

MAX_BODY = 1024 * 1024
TOLD = [
    "ETag",
    "Age",
    "Cache-Status",
    "Cache-Version",
    "Server-Timing",
    "X-Request-ID",
    "Location",
    "Retry-After",
    "Content-Disposition",
    "Idempotency-Replayed",
]
"""Headers that a page of an allowed origin may read."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """For uvicorn (`--factory`) and for tests. Settings are read from the environment unless given."""
    settings = settings or Settings()
    configure(settings.log_format)
    app = FastAPI(
        title=openapi.TITLE,
        version=openapi.VERSION,
        lifespan=lifespan_with(settings),
        openapi_url=None,  # api/ops/docs.py serves it, and the pages that show it
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.request_stats = RequestStats()
    app.state.slots = None  # where other processes serve beside this one: api/server/worker.py
    problems.register(app)
    app.include_router(ops)
    for router in ROUTERS:
        app.include_router(router)
    docs.mount(app)
    openapi.describe(app, cookie=settings.session_cookie, routers=ROUTERS)

    # The last added is the outermost.
    app.add_middleware(Head)
    app.add_middleware(BodyLimit, limit=MAX_BODY)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_credentials=True,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "If-Match",
                "If-None-Match",
                "Idempotency-Key",
                "Cache-Version",
                "X-Request-ID",
            ],
            expose_headers=TOLD,
        )
    app.add_middleware(
        CrossOrigin,
        allowed=settings.allowed_origins,
        cookie=settings.session_cookie,
        production=settings.is_production,
    )
    app.add_middleware(SingleHeaders)
    app.add_middleware(SecurityHeaders, production=settings.is_production)
    keys = [key.get_secret_value() for key in settings.secret_keys]
    app.add_middleware(Observe, stats=app.state.request_stats, version_header=VersionHeader(keys))
    app.add_middleware(Decided)
    app.add_middleware(RequestId)
    return app
