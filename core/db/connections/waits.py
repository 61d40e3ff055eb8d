"""How long work waits for a connection of the pool, where a new one is made its making included."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Waits:
    """How long work has waited for a connection of one pool."""

    def __init__(self) -> None:
        self.waiting = 0
        """How many wait now."""
        self.ended = {"given": 0, "failed": 0}
        """Outcome → waits that have ended: failed ones without a connection."""
        self.seconds = 0.0
        """Of all waits that have ended."""

    @contextmanager
    def one(self) -> Iterator[None]:
        """Around one wait."""
        began = perf_counter()
        self.waiting += 1
        outcome = "failed"
        try:
            yield
            outcome = "given"
        finally:
            self.waiting -= 1
            self.seconds += perf_counter() - began
            self.ended[outcome] += 1
