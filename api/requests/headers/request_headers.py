"""The headers of a request that this service reads, as RFC 9110 reads them: a list's lines are one list (5.3), and what
is no list comes once."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import cookie_parser
from starlette.types import Scope

KEPT = "ticket_home.headers"
SINGLE = (b"authorization", b"content-type", b"idempotency-key", b"origin", b"sec-fetch-site")
"""Headers that may come once only. A request with two of them is refused: a proxy could act on the one, and this
service on the other."""
LISTS = (b"accept-encoding", b"cache-version", b"content-encoding", b"if-match", b"if-none-match")
READ = frozenset({*SINGLE, *LISTS, b"cookie", b"host", b"x-request-id"})
"""All that is read here. A browser's others, a dozen and more, are passed over."""


@dataclass(slots=True)
class RequestHeaders:
    """A request's headers as they are read here; None where one is absent."""

    bearer: str | None
    """None also for another authorization: a scheme such as a proxy's Basic says nothing to us."""
    cookies: Mapping[str, str]
    request_id: str | None
    """None also where there are several."""
    host: str | None
    origin: str | None
    sec_fetch_site: str | None
    accept_encoding: str | None
    cache_version: str | None
    content_encoding: str | None
    if_match: str | None
    if_none_match: str | None
    repeated: str | None
    """The name of one of SINGLE that comes more than once."""


def headers_of(scope: Scope) -> RequestHeaders:
    """Those of a request: read by whoever asks first, and kept in its scope for all others."""
    kept: RequestHeaders | None = scope.get(KEPT)
    if kept is not None:
        return kept
    read: dict[bytes, str] = {}
    repeated: set[bytes] = set()
    for name, value in scope["headers"]:
        if name not in READ:
            continue
        if name in read:
            repeated.add(name)
            # HTTP/2 parts cookies into several lines.
            read[name] += ("; " if name == b"cookie" else ", ") + value.decode("latin-1")
        else:
            read[name] = value.decode("latin-1")
    scheme, _, token = read.get(b"authorization", "").partition(" ")
    found = scope[KEPT] = RequestHeaders(
        bearer=token.strip() if scheme.lower() == "bearer" else None,
        # Of several cookies with one name the last one counts: browsers send those of a narrower path first, ours are
        # of `/`, and so the first ones could only have been set by a neighbouring site.
        cookies=cookie_parser(read[b"cookie"]) if b"cookie" in read else {},
        request_id=read.get(b"x-request-id") if b"x-request-id" not in repeated else None,
        host=read.get(b"host"),
        origin=read.get(b"origin"),
        sec_fetch_site=read.get(b"sec-fetch-site"),
        accept_encoding=read.get(b"accept-encoding"),
        cache_version=read.get(b"cache-version"),
        content_encoding=read.get(b"content-encoding"),
        if_match=read.get(b"if-match"),
        if_none_match=read.get(b"if-none-match"),
        repeated=next((name.decode() for name in SINGLE if name in repeated), None) if repeated else None,
    )
    return found
