"""Every request is decided within two seconds, whatever is away: what it waits for asks core.deadline."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.deadline import Deadline, current_deadline


class Decided:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        deadline = Deadline()

        async def received() -> Message:
            began = loop.time()
            message = await receive()
            # A slow client's own time is not held against it.
            deadline.extend(loop.time() - began)
            return message

        async def sent(message: Message) -> None:
            deadline.lift()
            await send(message)

        token = current_deadline.set(deadline)
        try:
            await self._app(scope, received, sent)
        finally:
            current_deadline.reset(token)
