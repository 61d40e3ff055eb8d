"""HEAD wherever GET is: the same answer without its body, from the same route.

For the whole application and not a method of each route: the contract names GET alone, and no route forgets it.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def answer_head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Ask `app` for the GET of the same path, and send what it answers without the body."""
    # A copy: the server must know that no body follows, whatever the Content-Length.
    asked = dict(scope, method="GET")
    answered = asyncio.Event()

    async def until_answered() -> Message:
        """`receive` until the answer has begun; from then on "the client has left", which ends a download or a stream:
        nothing more of it is wanted."""
        receiving, ending = asyncio.ensure_future(receive()), asyncio.ensure_future(answered.wait())
        try:
            await asyncio.wait({receiving, ending}, return_when=asyncio.FIRST_COMPLETED)
            return {"type": "http.disconnect"} if answered.is_set() else receiving.result()
        finally:
            receiving.cancel()
            ending.cancel()

    async def without_body(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            answered.set()

    try:
        await app(asked, until_answered, without_body)
    finally:
        if "route" in asked:
            scope["route"] = asked["route"]  # for the log line and the metrics
