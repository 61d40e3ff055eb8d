"""Unsafe methods with a cookie must come from our own pages: the browser says where from, and nobody can forge that.

Bearer tokens are not sent by a browser of its own accord, so they need no such check.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

from api.requests.credentials import credentials_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class OriginRule:
    allowed: Sequence[str]
    """Origins of other pages, as a browser writes them: in lower case, without a slash at the end."""
    session_cookie: str
    production: bool
    """Behind TLS, whatever the scheme of the connection to a proxy is."""

    def permits(self, scope: Scope) -> bool:
        """Whether a request of an unsafe method may do what it asks for, as far as its origin is concerned."""
        credentials = credentials_of(scope)
        if credentials.bearer is not None:
            return True
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None:
            return origin.lower() in (*self.allowed, self._own(scope, headers))
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        # No browser: it may sign in, but a cookie is a browser's.
        return self.session_cookie not in credentials.cookies

    def _own(self, scope: Scope, headers: Headers) -> str:
        scheme = "https" if self.production else scope["scheme"]
        return f"{scheme}://{headers.get('host', '')}".lower()
