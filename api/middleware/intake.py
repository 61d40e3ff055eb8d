"""What a request must be before any route sees it: no header twice that takes one value, not from a foreign page, and
a body of bounded size. HEAD goes on as GET."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.cross_origin import SAFE, OriginRule
from api.middleware.head import answer_head
from api.problems import problem
from api.requests.headers.request_headers import headers_of

AUTH = "/v1/auth/"


class Intake:
    """`max_body`: bytes; `max_credentials`: of a body to AUTH, from whoever asks. FastAPI's own limit answers in plain
    text, outside of our problems and headers."""

    def __init__(self, app: ASGIApp, *, origins: OriginRule, max_body: int, max_credentials: int) -> None:
        self._app = app
        self._origins = origins
        self._max_body = max_body
        self._max_credentials = max_credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        repeated = headers_of(scope).repeated
        if repeated is not None:
            refusal = problem(400, "malformed_request", f"The header {repeated} came more than once.")
            await refusal(scope, receive, send)
        elif scope["method"] == "GET":
            await self._app(scope, receive, send)  # no route of one reads a body
        elif scope["method"] not in SAFE and not self._origins.permits(scope):
            refusal = problem(403, "cross_origin", "This was not sent by a page of this site.")
            await refusal(scope, receive, send)
        elif scope["method"] == "HEAD":
            await answer_head(self._app, scope, receive, send)
        else:
            # JSON of many small things takes a hundred times as long to read as it takes to send.
            limit = self._max_credentials if scope["path"].startswith(AUTH) else self._max_body
            await self._app(scope, limited(scope, receive, limit), send)


def limited(scope: Scope, receive: Receive, limit: int) -> Receive:
    """`receive`, which raises HTTPException 413 where a route reads a body over `limit` bytes. A route that reads none
    is not disturbed."""
    read = 0

    async def received() -> Message:
        nonlocal read
        if not read:
            announced = Headers(scope=scope).get("content-length", "0")
            if announced.isdecimal() and int(announced) > limit:
                raise HTTPException(413)
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise HTTPException(413)
        return message

    return received
