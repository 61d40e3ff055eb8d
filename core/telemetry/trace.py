"""What one request did: noted where it happens, shown in the answer's headers, the log line and metrics."""

from contextvars import ContextVar
from dataclasses import dataclass, field

VersionRow = tuple[int, str, int]
"""(clinic or 0, topic, version)"""
AWAY = "database-unavailable"
"""Why an answer is stale."""


@dataclass(slots=True)
class Trace:
    """What is noted of one request, for its answer's headers, the log and spans. Times are milliseconds, `cache_ttl`
    and `cache_age` seconds."""

    request_id: str = ""
    route: str = ""
    """The route's template, such as `/v1/tickets/{ticket_id}`; empty until the answer begins."""
    user_id: int | None = None
    clinic_id: int | None = None
    session_id: int | None = None
    """Its row's id, which opens nothing, and not its token."""
    session_ms: float | None = None
    session_age: float | None = None
    """Seconds since the session was last verified, where nobody can verify it now: whatever the answer is, it is stale,
    because the session may have ended since. None for one that is verified, and where none was asked for."""
    cache_policy: str = ""
    cache_outcome: str = ""
    """hit, miss, stale or bypass; empty where no cached read took part."""
    cache_tier: str = ""
    """memory, redis or database"""
    cache_ms: float = 0.0
    cache_ttl: float = 0.0
    cache_age: float = 0.0
    cache_collapsed: bool = False
    """It waited for another request's computation."""
    cache_stored: bool = False
    cache_detail: str = ""
    """Why, where the outcome alone does not say it: AWAY."""
    db_queries: int = 0
    db_ms: float = 0.0
    cache_versions_made: list[VersionRow] = field(default_factory=list)
    """The versions that this request's commits made."""

    def add_query(self, ms: float) -> None:
        self.db_queries += 1
        self.db_ms += ms

    def cached(
        self,
        policy: str,
        outcome: str,
        tier: str,
        *,
        ms: float,
        ttl: float = 0.0,
        age: float = 0.0,
        collapsed: bool = False,
        stored: bool = False,
        detail: str | None = None,
    ) -> None:
        """Note that a cached read gave this request's answer, and how; `ms` milliseconds, `ttl` and `age` seconds."""
        self.cache_policy = policy
        self.cache_outcome = outcome
        self.cache_tier = tier
        self.cache_ms = ms
        self.cache_ttl = ttl
        self.cache_age = age
        self.cache_collapsed = collapsed
        self.cache_stored = stored
        self.cache_detail = detail or ""


current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)


def current() -> Trace:
    """This request's trace; outside of a request one that nobody reads."""
    return current_trace.get() or Trace()
