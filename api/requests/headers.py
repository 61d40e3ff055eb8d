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


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """None where a header is absent."""

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
    lines: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        lines.setdefault(name, []).append(value)
    listed = {name: b", ".join(values).decode("latin-1") for name, values in lines.items()}
    scheme, _, token = listed.get(b"authorization", "").partition(" ")
    # HTTP/2 parts cookies into several lines. Of several with one name the last one counts: browsers send those of a
    # narrower path first, ours are of `/`, and so the first ones could only have been set by a neighbouring site.
    cookies = cookie_parser("; ".join(line.decode("latin-1") for line in lines.get(b"cookie", ())))
    found = scope[KEPT] = RequestHeaders(
        bearer=token.strip() if scheme.lower() == "bearer" else None,
        cookies=cookies,
        request_id=listed[b"x-request-id"] if len(lines.get(b"x-request-id", ())) == 1 else None,
        host=listed.get(b"host"),
        origin=listed.get(b"origin"),
        sec_fetch_site=listed.get(b"sec-fetch-site"),
        accept_encoding=listed.get(b"accept-encoding"),
        cache_version=listed.get(b"cache-version"),
        content_encoding=listed.get(b"content-encoding"),
        if_match=listed.get(b"if-match"),
        if_none_match=listed.get(b"if-none-match"),
        repeated=next((name.decode() for name in SINGLE if len(lines.get(name, ())) > 1), None),
    )
    return found
