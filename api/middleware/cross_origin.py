"""Unsafe methods with a cookie must come from our own pages: the browser says where from, and nobody can forge that.

Bearer tokens are not sent by a browser of its own accord, so they need no such check.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Scope

from api.requests.headers.request_headers import headers_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class OriginRule:
    """From which origins a browser may send what changes something. Without a bearer token only this service's own
    pages, and those of `allowed`, may."""

    allowed: Sequence[str]
    """Origins of other pages, as a browser writes them: in lower case, without a slash at the end."""
    session_cookie: str
    production: bool
    """Behind TLS, whatever the scheme of the connection to a proxy is."""

    def permits(self, scope: Scope) -> bool:
        """Whether a request of an unsafe method may do what it asks for, as far as its origin is concerned."""
        headers = headers_of(scope)
        if headers.bearer is not None:
            return True
        if headers.origin is not None:
            return headers.origin.lower() in (*self.allowed, self._own(scope, headers.host))
        if headers.sec_fetch_site is not None:
            return headers.sec_fetch_site in {"same-origin", "none"}
        # No browser: it may sign in, but a cookie is a browser's.
        return self.session_cookie not in headers.cookies

    def _own(self, scope: Scope, host: str | None) -> str:
        scheme = "https" if self.production else scope["scheme"]
        return f"{scheme}://{host or ''}".lower()
