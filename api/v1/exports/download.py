"""An answer that is a file: sent as it is made, and made no further once nobody reads it."""

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.answers.streamed import STREAMED
from api.requests.client import until_it_leaves
from core.exports.export import Export

STALLED = 60.0
"""Seconds without a byte taken after which a client counts as gone: what it asked for holds a place and a process."""


class Download(Response):
    """The status follows the first bytes, so that what fails before them is answered as a problem.

    What fails later cuts the answer short, which every client notices: its last chunk is missing.
    """

    def __init__(self, export: Export, media_type: str) -> None:
        super().__init__(media_type=media_type)
        self._export = export
        del self.headers["content-length"]
        self.headers.update(STREAMED | {"Content-Disposition": f'attachment; filename="{export.filename}"'})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.ensure_future(self._send(send))
        gone = asyncio.ensure_future(until_it_leaves(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            sending.cancel()
            await asyncio.wait({sending, gone})
        if not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        async with aclosing(self._export.chunks()) as chunks:  # type: ignore[type-var]  # it is a generator
            begun = False
            async for chunk in chunks:
                if not begun:
                    begun = True
                    await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await _taken(send({"type": "http.response.body", "body": chunk, "more_body": True}))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _taken(sending: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(STALLED):
            await sending
    except TimeoutError as error:
        raise ClientDisconnect from error
