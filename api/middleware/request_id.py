"""`X-Request-ID`: the client's if well formed, else ours; and the request's trace, which everything else fills."""

import re
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.trace import Trace, current_trace

WELL_FORMED = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class RequestId:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lines: list[bytes] = [value for name, value in scope["headers"] if name == b"x-request-id"]
        sent = lines[0] if len(lines) == 1 else b""
        request_id = sent.decode() if WELL_FORMED.fullmatch(sent) else uuid4().hex

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        token = current_trace.set(Trace(request_id=request_id))
        try:
            await self._app(scope, receive, with_id)
        finally:
            current_trace.reset(token)
