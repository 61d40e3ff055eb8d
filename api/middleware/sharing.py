"""Answers that pages of other origins may read (CORS): which they are, and what a browser is told of it.

Every answer tells, whoever gives it: a route, the last catch, the protocol. A page that may read the answer of a route
and not its failure would be told of a network that is broken.
"""

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.requests.headers.roles import FROM_PAGES

SHARING: Final = "ticket_home.sharing"
"""Where a connection finds it in the state that the lifespan gives."""
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
EXPOSED: Final = (
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
)
"""Headers that a page of an allowed origin may read."""
ALLOWED: Final = b"access-control-allow-origin"
DIFFERS: Final = (b"vary", b"Origin")
RawHeaders = list[tuple[bytes, bytes]]


class Sharing:
    """What answers tell pages of other allowed origins (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol)."""

    def __init__(self, origins: Sequence[str]) -> None:
        """`origins`: of other pages, as a browser writes them. Without any, no answer says anything of them."""
        self.origins = origins
        exposed = ", ".join(EXPOSED).encode()
        self._told: dict[str, RawHeaders] = {
            origin: [
                (ALLOWED, origin.encode()),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", exposed),
            ]
            for origin in origins
        }

    def headers(self, origin: str | None, answer: RawHeaders) -> RawHeaders:
        """What an answer to a page of `origin` has beside its own headers, `answer`, whose names are in lower case."""
        if not self._told:
            return []
        names = {name for name, _ in answer}
        if ALLOWED in names:
            return []  # a preflight's
        # Those that are kept say on what else they depend: Origin is among that.
        varying = [] if b"vary" in names else [DIFFERS]
        return [*varying, *self._told.get(origin or "", ())]


class Preflights(CORSMiddleware):
    """What a browser asks before it sends for a page of another origin what a form could not send."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app, allow_origins=origins, allow_credentials=True, allow_methods=METHODS, allow_headers=FROM_PAGES
        )

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        """No preflight: the envelope tells of its answer."""
        await self.app(scope, receive, send)
