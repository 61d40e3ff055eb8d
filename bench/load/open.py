"""An open loop: requests are due when they are due, however long the last answers take.

A closed loop asks less of a server that is slow, and so hides the time that others would have waited.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from random import Random
from time import perf_counter

from bench.load.closed import Measured, connected, without_collections

NEAR = 0.002
"""Seconds: polls wait whole milliseconds, so the last ones before a request is due are spent asking at once."""
PATIENCE = 5.0
"""Seconds for the last answers."""


def open_loop(
    port: int, requests: Sequence[Iterator[bytes]], is_meant: Callable[[bytes], bool], *, rate: float, seconds: float
) -> Measured:
    """`rate` requests a second, at random moments; times count from the moment that a request was due.

    It waits for a free connection where all are busy. Raises ConnectionError where the server closes one.
    """
    rng = Random(1)
    measured = Measured()
    with connected(port, requests) as (poll, askers), without_collections():
        idle, busy = deque(askers.values()), 0
        started = perf_counter()
        due, until = started + rng.expovariate(rate), started + seconds
        while due < until or busy:
            now = perf_counter()
            while due <= min(now, until) and idle:
                idle.popleft().ask(due)
                busy += 1
                due += rng.expovariate(rate)
            if now > until + PATIENCE:
                raise ConnectionError(f"{busy} requests were not answered within {PATIENCE:g} s")
            wait = due - now if idle and due < until else NEAR
            for descriptor, _ in poll(wait - NEAR if wait > NEAR else 0.0):
                asker = askers[descriptor]
                data = asker.answer()
                if data:
                    measured.note(perf_counter() - asker.asked, data, is_meant)
                    idle.append(asker)
                    busy -= 1
    measured.seconds = seconds
    return measured
