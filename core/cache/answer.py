"""What the cache answers, and how it came by it: headers, counts and log lines are made of this."""

from dataclasses import dataclass

from core.cache.entry import Entry


@dataclass(frozen=True, slots=True)
class Answer:
    """What a cached read is answered with, and how it came about."""

    entry: Entry
    outcome: str
    """hit, miss or stale"""
    tier: str
    """memory, redis or database"""
    age: float
    """Seconds since it was computed."""
    ttl: float
    """Seconds it may still serve, by time alone."""
    collapsed: bool = False
    """Whether it was computed for another request, which this one joined."""
    detail: str | None = None
    """Why it is stale."""
    stored: bool = False
    """Whether this miss was stored."""

    @property
    def stale(self) -> bool:
        return self.outcome == "stale"
