"""The application: middleware in order, error handlers, routers."""

from fastapi import FastAPI

from api import error_handlers, openapi
from api.lifespan import lifespan_with
from api.middleware.added_headers import AddedHeaders
from api.middleware.cross_origin import OriginRule
from api.middleware.envelope import Envelope
from api.middleware.intake import Intake
from api.middleware.request_spans import RequestSpans
from api.middleware.request_stats import RequestStats
from api.middleware.sharing import Preflights, Sharing
from api.ops import docs
from api.ops.routes import router as ops
from api.ops.stream import router as stream
from api.requests.by_path import ByPath
from api.v1.routers import ROUTERS
from api.web.routes import router as web
from core.cache.versions.header import VersionHeader
from core.settings import Settings
from core.settings.traces import is_configured
from core.telemetry.log import configure

MAX_BODY = 1024 * 1024
"""Bytes."""
MAX_CREDENTIALS = 32 * 1024
"""Of a body to `/v1/auth/…`, where somebody who is not signed in has one read. Two passwords fit, however escaped."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """For uvicorn (`--factory`) and for tests. Settings are read from the environment unless given."""
    settings = settings or Settings()
    configure(settings.log_format, served=settings.served)
    app = FastAPI(
        title=openapi.TITLE,
        version=openapi.VERSION,
        lifespan=lifespan_with(settings),
        openapi_url=None,  # api/ops/docs.py serves it, and the pages that show it
        redirect_slashes=False,
        # Its own spans have paths and queries, and a search may name a patient (core/telemetry/spans.py makes ours).
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = settings
    app.state.request_stats = RequestStats()
    app.state.sharing = Sharing(settings.allowed_origins)
    app.state.contract = None  # encoded once: api/ops/docs.py
    app.state.slots = None  # where other processes serve beside this one: api/server/application.py
    error_handlers.register(app)
    # The routes themselves, and not routers of routes: FastAPI asks such a router, and each of its routes, twice.
    for router in (ops, stream, *ROUTERS, web, *([docs.router] if settings.docs else ())):
        app.router.routes += router.routes
    app.router.routes.insert(0, ByPath(app.router.routes))
    if settings.docs:
        docs.mount(app)
    openapi.describe(app, cookie=settings.session_cookie, routers=ROUTERS)

    # The last added is the outermost.
    if settings.allowed_origins:
        app.add_middleware(Preflights, origins=settings.allowed_origins)
    origins = OriginRule(settings.allowed_origins, settings.session_cookie, settings.is_production)
    app.add_middleware(Intake, origins=origins, max_body=MAX_BODY, max_credentials=MAX_CREDENTIALS)
    if is_configured():
        app.add_middleware(RequestSpans)
    version_header = VersionHeader([key.get_secret_value() for key in settings.secret_keys])
    added = AddedHeaders(version_header, app.state.sharing, production=settings.is_production)
    app.add_middleware(Envelope, stats=app.state.request_stats, added=added)
    return app
