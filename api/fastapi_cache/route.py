"""The route class of routes with fastapi-cache2's plain `@cache`: their answers have every cached answer's headers.

What the decorator writes itself is not sent: an ETag that is no ETag (unquoted, and another one in each process),
`max-age`, and `X-FastAPI-Cache`, in place of which `Cache-Status` tells more. Nor does it see `If-None-Match`, which
it compares as one word, and `Cache-Control`, with which a client would have it compute every time.
"""

from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

from fastapi import Request
from fastapi_cache import decorator
from starlette.responses import Response

from api.answers.cached import respond
from api.fastapi_cache.key import RouteReading
from api.requests.dependencies import runtime_of
from api.requests.headers.request_headers import headers_of
from api.requests.routing import TicketHomeRoute
from core.cache.entry import Entry
from core.errors import Unavailable
from core.telemetry.trace import AWAY, current

UNSEEN = (b"if-none-match", b"cache-control")
"""Headers that the decorator would act on."""


class PlainCacheRoute(TicketHomeRoute):
    """`Router(route_class=PlainCacheRoute)`. Routes without `@cache` are as on any other router."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if not is_decorated(self.endpoint):
            return handle

        async def answer(request: Request) -> Response:
            request.state.reading = reading = RouteReading()
            headers = [line for line in request.scope["headers"] if line[0] not in UNSEEN]
            seen = dict(request.scope, headers=headers)
            started = perf_counter()
            try:
                response = await handle(Request(seen, request.receive))
            except Unavailable:
                stale = await last_good(request, reading, started)
                if stale is None:
                    raise
                return stale
            entry = reading.key.entry if reading.key is not None else None
            if entry is None:
                return response
            # What goes out is what FastAPI made of it by the route's response_model.
            body = bytes(response.body)
            if body != entry.body:
                entry = Entry.make(body, computed_at=entry.computed_at)
            return respond(headers_of(request.scope), entry)

        return answer


def is_decorated(endpoint: Callable[..., Any]) -> bool:
    """Whether a route's function is one that fastapi-cache2's `@cache` has wrapped."""
    code = getattr(endpoint, "__code__", None)
    return code is not None and code.co_filename == decorator.__file__


async def last_good(request: Request, reading: RouteReading, started: float) -> Response | None:
    """The last good answer, labelled stale; None where none is held, or it is not known yet what was asked for."""
    if reading.entry_id is None:
        return None
    runtime = runtime_of(request)
    found = await runtime.cache.last_good.find(reading.entry_id)
    policy = reading.entry_id.policy.name
    if found is None:
        runtime.cache.stats.count(policy, "error", "database")
        return None
    entry, tier = found
    age = max(0.0, runtime.versions.now() - entry.computed_at)
    runtime.cache.stats.count(policy, "stale", tier)
    current().cached(policy, "stale", tier, ms=(perf_counter() - started) * 1000, age=age, detail=AWAY)
    return respond(headers_of(request.scope), entry, stale=True)
