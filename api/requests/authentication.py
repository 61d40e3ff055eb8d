"""Who sends a request: its bearer token or its cookie, as an Actor."""

from time import perf_counter

from fastapi import Request

from api.requests.client import address_of
from api.requests.headers.cache_version import of_session, versions_required
from api.requests.headers.request_headers import headers_of
from core.access import Actor
from core.errors import Forbidden, NotAuthenticated
from core.runtime import Runtime
from core.sessions.copies import SessionCopy
from core.telemetry.trace import current

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOGOUT = "/v1/auth/logout"
DISPLAYED = frozenset({"/v1/auth/me", "/v1/nursing-board", "/v1/clinics", "/v1/urgency-thresholds", "/v1/events"})
"""Paths of what a wall display reads. It stands where everybody looks, and so may its token be."""
UNSLID = frozenset({"/v1/events"})
"""Paths that do not count as use: a page left open on a desk reads them by itself."""


async def authenticate(request: Request) -> Actor:
    """Who acts: found out by whoever asks first, and kept with the request (`request.state.actor`) for all others.

    Raises NotAuthenticated, Forbidden for what is not for a wall display, and Unavailable where nobody can say.
    """
    state = request.scope.setdefault("state", {})  # what `request.state` wraps
    kept: Actor | None = state.get("actor")
    if kept is not None:
        return kept
    copy = await session_of(request)
    trace = current()
    actor = copy.actor(ip=address_of(request.scope), request_id=trace.request_id or None)
    # Noted before anything is refused: the log says whose request that was.
    trace.user_id = actor.user_id
    trace.clinic_id = actor.clinic_id
    trace.session_id = actor.session_id
    if actor.client == "display" and not _is_for_displays(request):
        raise Forbidden("A wall display reads the board only.")
    state["actor"] = actor
    return actor


def _is_for_displays(request: Request) -> bool:
    """Of what writes it is its own sign-out."""
    path = request.scope["path"]
    return path in DISPLAYED if request.method in SAFE else path == LOGOUT


async def session_of(request: Request) -> SessionCopy:
    """The request's session, read once, at least as new as its `Cache-Version`.

    Raises NotAuthenticated and Unavailable.
    """
    state = request.scope.setdefault("state", {})
    kept: SessionCopy | None = state.get("session")
    if kept is not None:
        return kept
    runtime: Runtime = request.app.state.runtime
    headers = headers_of(request.scope)
    # A bearer wins: a browser sends none by itself.
    token = headers.cookies.get(runtime.settings.session_cookie) if headers.bearer is None else headers.bearer
    if not token:
        raise NotAuthenticated("Sign in first.")
    started = perf_counter()
    slide, reading = request.scope["path"] not in UNSLID, request.method in SAFE
    session = await runtime.sessions.authenticate(token, slide=slide, reading=reading)
    if headers.cache_version is not None:
        # Routes require the others that the client has seen.
        required = of_session(versions_required(headers, runtime, session.clinic_id), session.clinic_id)
        if required and runtime.direct.behind(required):
            await runtime.direct.require(required)
            current().session_age = None  # of what was found before
            session = await runtime.sessions.authenticate(token, slide=slide, reading=reading)
    current().session_ms = (perf_counter() - started) * 1000
    state["session"], state["token"] = session, token
    return session
