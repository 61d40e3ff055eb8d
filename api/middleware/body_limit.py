"""No body over the limit is read. FastAPI's own limit answers in plain text, outside of our problems and headers."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        read = 0

        async def limited() -> Message:
            """Raises HTTPException 413 where the route reads it; a route that reads no body is not disturbed."""
            nonlocal read
            if told.isdigit() and int(told) > self._limit:
                raise HTTPException(413)
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                raise HTTPException(413)
            return message

        await self._app(scope, limited, send)
