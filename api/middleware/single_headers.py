"""A header that takes one value, and came twice, is refused before anybody believes either."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem
from api.requests.headers import repeated


class SingleHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = repeated(Headers(scope=scope)) if scope["type"] == "http" else None
        if name is None:
            await self._app(scope, receive, send)
            return
        await problem(400, "malformed_request", f"The header {name} came more than once.")(scope, receive, send)
