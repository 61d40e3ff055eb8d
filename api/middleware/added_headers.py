"""The headers that every answer gets: id, times, how the cache answered, and what a browser may not do with it."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message

from api.answers.cached import CACHE_CONTROL
from api.middleware.sharing import RawHeaders, Sharing
from api.requests.headers.roles import VARY
from core.cache.versions.header import VersionHeader
from core.telemetry.trace import AWAY, Trace

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""For answers that are no pages; a page sets its own."""
HSTS = "max-age=63072000; includeSubDomains"
GUARDING = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class AddedHeaders:
    """The headers that every answer has beside its route's own: cache, timing, versions, request id, and what guards a
    browser."""

    def __init__(self, version_header: VersionHeader, sharing: Sharing, *, production: bool) -> None:
        self._version_header = version_header
        self._sharing = sharing
        self._guarding = raw(GUARDING | ({"Strict-Transport-Security": HSTS} if production else {}))
        self._policy = raw({"Content-Security-Policy": API_POLICY})

    def add(self, start: Message, trace: Trace, origin: str | None, ms: float) -> None:
        """To the message that begins an answer, `ms` after its request, of a page of `origin`, began."""
        headers: RawHeaders = [*start.get("headers", ()), *self._guarding]
        names = {name for name, _ in headers}
        if b"content-security-policy" not in names:
            headers += self._policy
        if b"x-fastapi-cache" in names:
            # The decorator says max-age to whoever stores it: after a sign-out, a browser would go on showing what the
            # one before was answered.
            MutableHeaders(raw=headers).update({"Cache-Control": CACHE_CONTROL, "Vary": VARY})
        headers += [(b"server-timing", server_timing(trace, ms).encode()), (b"x-request-id", trace.request_id.encode())]
        if trace.cache_outcome or (trace.session_age is not None and start["status"] < 500):
            # How long ago the oldest of what the answer rests on was right.
            age = int(max(trace.cache_age, trace.session_age or 0.0))
            headers += [(b"cache-status", cache_status(trace).encode()), (b"age", b"%d" % age)]
        if trace.cache_versions_made:
            headers.append((b"cache-version", self._version_header.format(trace.cache_versions_made).encode()))
        if self._sharing.origins:
            headers += self._sharing.headers(origin, headers)
        start["headers"] = headers


def raw(headers: dict[str, str]) -> RawHeaders:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


def cache_status(trace: Trace) -> str:
    """RFC 9211: `ticket-home; hit; ttl=212; detail=memory`."""
    if trace.session_age is not None:
        # However new the rest is: the session may have ended since.
        return f"ticket-home; fwd=stale; detail={AWAY}"
    if trace.cache_outcome == "hit":
        return f"ticket-home; hit; ttl={int(trace.cache_ttl)}; detail={trace.cache_tier}"
    parts = ["ticket-home", f"fwd={trace.cache_outcome}"]
    if trace.cache_collapsed:
        parts.append("collapsed")
    elif trace.cache_stored:
        parts.append("stored")
    if trace.cache_detail:
        parts.append(f"detail={trace.cache_detail}")
    return "; ".join(parts)


def server_timing(trace: Trace, ms: float) -> str:
    """W3C Server-Timing; browsers draw it."""
    parts = []
    if trace.session_ms is not None:
        parts.append(f"session;dur={trace.session_ms:.2f}")
    if trace.cache_outcome:
        parts.append(f'cache;desc="{trace.cache_outcome} {trace.cache_tier}";dur={trace.cache_ms:.2f}')
    if trace.db_queries:
        noun = "query" if trace.db_queries == 1 else "queries"
        parts.append(f'db;desc="{trace.db_queries} {noun}";dur={trace.db_ms:.2f}')
    parts.append(f"total;dur={ms:.2f}")
    return ", ".join(parts)
