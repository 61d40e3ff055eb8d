"""Plain-integer counters, one per (policy, outcome, tier): a label look-up per hit would cost more than the hit."""

from collections import defaultdict
from typing import Any

OUTCOMES = ("hit", "miss", "collapsed", "stale", "error")


class CacheStats:
    """How this process's cached reads were answered, since it started."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, str], int] = defaultdict(int)
        self.prepared = 0
        """Of the hits in memory those that were answered before the router."""
        self.refreshed: dict[tuple[str, str], int] = defaultdict(int)
        """(policy, tier) → refreshes ahead of the reader, which are no reads: computed, or had from Redis."""

    def count(self, policy: str, outcome: str, tier: str) -> None:
        """`outcome` is one of OUTCOMES; `tier` is memory, redis or database."""
        self.counts[policy, outcome, tier] += 1

    def count_refresh(self, policy: str, tier: str) -> None:
        """`tier` is redis or database."""
        self.refreshed[policy, tier] += 1

    def rows(self) -> list[list[Any]]:
        """[policy, outcome, tier, count], JSON-ready."""
        return [[*key, count] for key, count in sorted(self.counts.items())]


def merge(processes: list[list[list[Any]]]) -> dict[tuple[str, str, str], int]:
    """Sum the `rows()` of several processes."""
    total: dict[tuple[str, str, str], int] = defaultdict(int)
    for rows in processes:
        for policy, outcome, tier, count in rows:
            total[policy, outcome, tier] += count
    return total
