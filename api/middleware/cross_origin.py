"""Unsafe methods with a cookie must come from our own pages: the browser says where from, and nobody can forge that.

Bearer tokens are not sent by a browser of its own accord, so they need no such check.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem
from api.requests.credentials import credentials_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class CrossOrigin:
    def __init__(self, app: ASGIApp, *, allowed: Sequence[str], cookie: str, production: bool) -> None:
        self._app = app
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)
        self._cookie = cookie
        self._production = production

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE and not self._permits(scope):
            answer = problem(403, "cross_origin", "This was not sent by a page of this site.")
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _permits(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        credentials = credentials_of(scope)
        if credentials.bearer is not None:
            return True
        origin = headers.get("origin")
        if origin is not None:
            return origin.lower() in self._allowed or origin.lower() == self._own(scope, headers)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        # No browser: it may sign in, but a cookie is a browser's.
        return self._cookie not in credentials.cookies

    def _own(self, scope: Scope, headers: Headers) -> str:
        scheme = "https" if self._production else scope["scheme"]
        return f"{scheme}://{headers.get('host', '')}".lower()
