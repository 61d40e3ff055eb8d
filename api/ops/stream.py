"""An answer in two parts, for whoever wants to know whether what stands before the service holds streams back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse

from api.answers.streamed import STREAMED
from api.requests.routing import Router

PAUSE: Final = 0.5
"""Seconds between the parts."""

router = Router(tags=["operations"])


class TextStream(StreamingResponse):
    media_type = "text/plain"


@router.get(
    "/v1/exports/probe",
    operation_id="streamsProbe",
    summary="An answer in two parts, half a second apart",
    description="Whoever gets both at once is behind a proxy that holds streams back. It stands beside the exports, for"
    " proxies are told by path what to hold back. It says nothing of anybody, and anybody may ask.",
    response_class=TextStream,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": "one\ntwo\n"}}}},
)
async def probe() -> Response:
    return TextStream(_parts(), headers=STREAMED)


async def _parts() -> AsyncIterator[str]:
    yield "one\n"
    await asyncio.sleep(PAUSE)
    yield "two\n"
