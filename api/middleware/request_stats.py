"""Counts and times of requests as plain numbers: a labelled metric per request would cost more than a hit."""

from bisect import bisect_left
from dataclasses import dataclass, field

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds in seconds; one more bucket has what took longer."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(slots=True)
class Times:
    """How long the requests of one series took."""

    total: float = 0.0
    """Seconds."""
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    """Per bucket, not cumulated."""

    def count(self, seconds: float) -> None:
        self.total += seconds
        self.counts[bisect_left(BUCKETS, seconds)] += 1


class RequestStats:
    """How long this process's requests took, by (method, route template, status)."""

    def __init__(self) -> None:
        self.times: dict[tuple[str, str, int], Times] = {}

    def series(self, method: str, route: str, status: int) -> Times:
        """Where the requests of a series are counted, for as long as this process runs."""
        # Methods are a client's own words: unknown ones must not make ever more series.
        method = method if method in METHODS else "OTHER"
        times = self.times.get((method, route, status))
        if times is None:
            times = self.times[method, route, status] = Times()
        return times
