"""Tells of every request: Cache-Status, Server-Timing, Age and Cache-Version, a log line, and metrics.

Also the last catch: an error that nobody expected becomes a problem 500, its stack in the log and not in the answer.
"""

from dataclasses import dataclass
from time import perf_counter
from traceback import format_tb

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.request_stats import RequestStats
from api.problems import problem
from core.cache.versions.header import VersionHeader
from core.db.failures import sqlstate
from core.log import logger
from core.trace import Trace, current

QUIET = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: counted, and logged only when they fail."""
UNMATCHED = "unmatched"
LEFT = 499
"""nginx's number for a client that left before its answer began: in logs and metrics only, for nobody is told it."""


@dataclass(slots=True)
class Seen:
    """What became of one request. `status` 0: no answer has begun."""

    status: int = 0
    left: bool = False
    """The client, before its answer began."""

    @property
    def outcome(self) -> int:
        return LEFT if not self.status or (self.left and self.status < 500) else self.status


class Observe:
    def __init__(self, app: ASGIApp, *, stats: RequestStats, version_header: VersionHeader) -> None:
        self._app = app
        self._stats = stats
        self._version_header = version_header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        trace = current()
        seen = Seen()

        async def heard() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and not seen.status:
                seen.left = True
            return message

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                self._tell(MutableHeaders(scope=message), trace, seen.status, (perf_counter() - started) * 1000)
            await send(message)

        try:
            await self._answer(scope, heard, told, seen, trace)
        finally:
            ms = (perf_counter() - started) * 1000
            trace.route = getattr(scope.get("route"), "path", UNMATCHED)
            self._stats.count(scope["method"], trace.route, seen.outcome, ms)
            if trace.route not in QUIET or seen.outcome >= 400:
                log_line(trace, scope["method"], seen.outcome, ms)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, seen: Seen, trace: Trace) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            # Its body came in part, or it takes no more of its answer: no error of ours. The server cuts that short.
            if seen.status:
                raise
        except Exception as error:
            # Nothing may pass here: what reaches the server's loop is a torn connection to the client.
            logger.error("unexpected error", request_id=trace.request_id, **facts_of(error))
            if seen.status:
                raise
            await problem(500, "internal", "Something went wrong here; it was noted.")(scope, receive, send)

    def _tell(self, headers: MutableHeaders, trace: Trace, status: int, ms: float) -> None:
        headers["Server-Timing"] = server_timing(trace, ms)
        if trace.cache_outcome or (trace.is_unverified and status < 500):
            headers["Cache-Status"] = cache_status(trace)
            headers["Age"] = str(int(trace.age))
        if trace.cache_versions_made:
            headers["Cache-Version"] = self._version_header.format(trace.cache_versions_made)


def facts_of(error: BaseException) -> dict[str, object]:
    """Where it happened and of what kind. Not its message: PostgreSQL's and pydantic's repeat the patient's data."""
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < 5:
        kinds.append(type(cause).__name__)
        cause = cause.__cause__
    stack = "".join(format_tb(error.__traceback__)[-8:])
    return {"error": " from ".join(kinds), "sqlstate": sqlstate(error), "stack": stack}


def cache_status(trace: Trace) -> str:
    """RFC 9211: `ticket-home; hit; ttl=212; detail=memory`."""
    parts = ["ticket-home"]
    if trace.outcome == "hit":
        parts += ["hit", f"ttl={int(trace.cache_ttl)}", f"detail={trace.cache_tier}"]
    else:
        parts.append(f"fwd={trace.outcome}")
        if trace.is_unverified:
            pass  # how the rest came does not make it any newer
        elif trace.cache_collapsed:
            parts.append("collapsed")
        elif trace.cache_stored:
            parts.append("stored")
        if trace.detail:
            parts.append(f"detail={trace.detail}")
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


def log_line(trace: Trace, method: str, status: int, ms: float) -> None:
    """The template and not the path: a search in it may name a patient."""
    facts: dict[str, object] = {
        "request_id": trace.request_id,
        "method": method,
        "route": trace.route,
        "status": status,
        "ms": round(ms, 2),
        "user_id": trace.user_id,
        "clinic_id": trace.clinic_id,
    }
    if trace.cache_outcome:
        facts["cache"] = f"{trace.cache_policy} {trace.cache_outcome} {trace.cache_tier}"
        facts["age"] = round(trace.cache_age, 1)
        facts["collapsed"] = trace.cache_collapsed
    if trace.session_age is not None:
        facts["session_age"] = round(trace.session_age, 1)
    if trace.db_queries:
        facts["queries"] = trace.db_queries
        facts["db_ms"] = round(trace.db_ms, 2)
    logger.info("request", **facts)
