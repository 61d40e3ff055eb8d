"""The answer of a cached read: an entry's bytes, as they are. And `fresh`, for what is never stored."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.requests.headers.accepted import admits
from api.requests.headers.cache_version import versions_required
from api.requests.headers.conditional import matches
from api.requests.headers.request_headers import RequestHeaders, headers_of
from api.requests.headers.roles import VARY
from api.requests.prepare import PREPARE, Decided
from core.cache.cached_read import CachedRead
from core.cache.entry import Entry
from core.runtime import Runtime
from core.telemetry.trace import current

CACHE_CONTROL = "private, no-cache"
ALWAYS = ((b"cache-control", CACHE_CONTROL.encode()), (b"vary", VARY.encode()))
JSON = (b"content-type", b"application/json")
REMEMBERED = 256
"""Characters of the longest Accept-Encoding whose meaning is kept: strangers may send any, to /openapi.json."""
NO_STORE = {"Cache-Control": "no-store"}
"""For patient data."""


async def cached(request: Request, runtime: Runtime, asked: CachedRead) -> Response:
    """The entry that answers it, as bytes; 304 where the client holds it already.

    A client that sends back the `Cache-Version` of its write gets an answer at least that new.
    Raises Unavailable as Cache.read does, and whatever else the read's loader raises.
    """
    headers = headers_of(request.scope)
    required = versions_required(headers, runtime, asked.clinic_id) if headers.cache_version is not None else {}
    answer = await runtime.cache.read(asked, required=required)
    left: list[Decided] | None = request.scope.get(PREPARE)
    if left is not None and (answer.outcome, answer.tier) == ("hit", "memory"):
        left.extend(_decided(request, runtime, asked))
    return respond(headers, answer.entry, stale=answer.outcome == "stale")


def _decided(request: Request, runtime: Runtime, asked: CachedRead) -> Iterator[Decided]:
    """For a server that prepares hits: who asked what. Nothing where nobody could verify the session."""
    digest = runtime.sessions.digest(request.state.token)
    if digest is not None and current().session_age is None:
        takes_gzip = accepts_gzip(headers_of(request.scope).accept_encoding or "")
        yield Decided(asked, request.state.session, digest, takes_gzip)


def respond(sent: RequestHeaders, entry: Entry, *, stale: bool = False) -> Response:
    """200 with the entry's body, compressed where the client takes that; 304 where the client holds it already."""
    headers = [(b"etag", entry.etag.encode()), *ALWAYS]
    # Only headers say that an answer is stale, or rests on a session that nobody could verify: of a 304 a client might
    # not look at them.
    known = sent.if_none_match
    if known is not None and not stale and current().session_age is None and matches(known, entry.etag):
        return Encoded(304, b"", headers)
    body = entry.body
    if entry.gzip is not None and accepts_gzip(sent.accept_encoding or ""):
        body = entry.gzip
        headers.append((b"content-encoding", b"gzip"))
    return Encoded(200, body, [*headers, (b"content-length", b"%d" % len(body)), JSON])


class Encoded(Response):
    """Of a body and headers that are encoded already: Starlette's own encodes them anew for each answer."""

    def __init__(self, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        self.status_code = status
        self.body = body
        self.raw_headers = headers
        self.background = None


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding admits gzip (RFC 9110, 12.5.3): by its name or `*`, with a weight above zero."""
    return remembered_gzip(header) if len(header) <= REMEMBERED else _admits_gzip(header)


def _admits_gzip(header: str) -> bool:
    return admits(header, "gzip", "*")


remembered_gzip = lru_cache(maxsize=256)(_admits_gzip)


def fresh(model: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is never stored: patient data, sessions, administration."""
    return Response(
        model.model_dump_json(), status, media_type="application/json", headers=NO_STORE | dict(headers or {})
    )
