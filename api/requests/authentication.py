"""Who sends a request: its bearer token or its cookie, as an Actor."""

from time import perf_counter

from fastapi import Request

from api.requests.client import address_of
from api.requests.credentials import credentials_of
from api.requests.headers import listed
from core.access import Actor
from core.cache.versions.vector import Vector
from core.errors import Forbidden, NotAuthenticated
from core.runtime import Runtime
from core.sessions.copies import SessionCopy
from core.trace import current

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOGOUT = "/v1/auth/logout"
UNSLID = frozenset({"/v1/events"})
"""Paths that do not count as use: a page left open on a desk reads them by itself."""


async def authenticate(request: Request) -> Actor:
    """Once per request, however often it is asked.

    Raises NotAuthenticated, Forbidden where a wall display would write, and Unavailable where nobody can tell.
    """
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None:
        copy = await session_of(request)
        trace = current()
        actor = copy.actor(ip=address_of(request.scope), request_id=trace.request_id or None)
        trace.user_id = actor.user_id
        trace.clinic_id = actor.clinic_id
        request.state.actor = actor
    if actor.client == "display" and request.method not in SAFE and request.url.path != LOGOUT:
        raise Forbidden("A wall display only reads.")
    return actor


async def session_of(request: Request) -> SessionCopy:
    """The request's session, read once, at least as new as its `Cache-Version`.

    Raises NotAuthenticated and Unavailable.
    """
    held: SessionCopy | None = getattr(request.state, "session", None)
    if held is None:
        runtime: Runtime = request.app.state.runtime
        token = credentials_of(request.scope).token(runtime.settings.session_cookie)
        if not token:
            raise NotAuthenticated("Sign in first.")
        started = perf_counter()
        held = await _verified(request, runtime, token)
        required = _required(request, runtime, held)
        if required and runtime.direct.behind(required):
            await runtime.direct.require(required)
            held = await _verified(request, runtime, token)
        current().session_ms = (perf_counter() - started) * 1000
        request.state.session = held
    return held


async def _verified(request: Request, runtime: Runtime, token: str) -> SessionCopy:
    return await runtime.sessions.authenticate(
        token, slide=request.url.path not in UNSLID, reading=request.method in SAFE
    )


def _required(request: Request, runtime: Runtime, held: SessionCopy) -> Vector:
    """Of the versions that the client has seen, those that a session is read under. The rest is for the read itself."""
    sent = listed(request.headers, "cache-version")
    seen = runtime.version_header.parse(sent, held.clinic_id) if sent else {}
    return {key: version for key, version in seen.items() if key in (held.stamp, (0, "clinics"))}
