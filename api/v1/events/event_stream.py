"""The answer that goes on: what `core/events` has to say, sent as it comes, until somebody ends it."""

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.answers.streamed import STREAMED
from api.requests.client import until_it_leaves
from core.events.events import Events
from core.sessions.copies import SessionCopy

MEDIA_TYPE = "text/event-stream"


class EventStream(Response):
    """Of `clinic_id` (None: the network), for the session that is `copy` and has that token; `beat`: seconds of silence
    after which its client hears something.

    Raises Unavailable, before anything is sent, where there is no room for another one. What its client does not take
    is the server's to bound (api/server/cycle.py).
    """

    def __init__(self, events: Events, clinic_id: int | None, token: str, copy: SessionCopy, beat: float) -> None:
        # nginx holds back what does not say this. The connection ends with the stream: it is set up for nothing else.
        super().__init__(headers=STREAMED | {"Connection": "close"})
        del self.headers["content-length"]
        self.headers["content-type"] = MEDIA_TYPE
        self._asked = (events, clinic_id, token, copy, beat)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        events, clinic_id, token, copy, beat = self._asked
        with events.opened(clinic_id, token, copy, beat) as stream:
            leaving = asyncio.ensure_future(until_it_leaves(receive))
            leaving.add_done_callback(lambda _: stream.leave())
            try:
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                while (said := await stream.next()) is not None:
                    await send({"type": "http.response.body", "body": said, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                leaving.cancel()
