"""The answer of a read that is stored nowhere: neither here nor on the way."""

from fastapi import Request
from starlette.responses import Response

from api.answers.cached import NO_STORE
from api.requests.headers.cache_version import versions_required
from api.requests.headers.request_headers import headers_of
from core.cache.unstored import UnstoredRead
from core.runtime import Runtime


async def unstored(request: Request, runtime: Runtime, asked: UnstoredRead) -> Response:
    """What it computes, as JSON. A client that sends back the `Cache-Version` of its write gets an answer at least that
    new. Raises as UnstoredReads.read."""
    required = versions_required(headers_of(request.scope), runtime, asked.clinic_id)
    body = await runtime.unstored.read(asked, required=required)
    return Response(body, media_type="application/json", headers=NO_STORE)
