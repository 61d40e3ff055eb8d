"""Until when a request must be decided: one bound for all that it waits for, one thing after the other.

Each wait has a budget of its own too. Alone they add up: a session's look-ups and then a fill's two seconds.
"""

import asyncio
from collections.abc import Awaitable
from contextvars import ContextVar
from typing import TypeVar

from core import times
from core.errors import Unavailable

T = TypeVar("T")


class Deadline:
    """Until when a request is to be answered: `times.REQUEST` seconds from now."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until: float | None = asyncio.get_running_loop().time() + times.REQUEST
        """In the event loop's time. None once it is decided: the answer has begun, and goes at the client's pace."""

    def extend(self, seconds: float) -> None:
        """Give the request more time: what its client took to send the body is not held against it."""
        if self.until is not None:
            self.until += seconds


current_deadline: ContextVar[Deadline | None] = ContextVar("current_deadline", default=None)
"""None outside of requests: commands, background work, and what several requests share."""


def _until() -> float | None:
    deadline = current_deadline.get()
    return deadline.until if deadline is not None else None


def left(budget: float) -> float:
    """Seconds that work may take: `budget`, or what is left of the request's if that is less. Raises Unavailable where
    nothing is left."""
    until = _until()
    if until is None:
        return budget
    seconds = min(budget, until - asyncio.get_running_loop().time())
    if seconds <= 0:
        raise Unavailable
    return seconds


async def in_time(work: Awaitable[T]) -> T:
    """What `work` gives. Raises Unavailable, and cancels it, where the request's time is up."""
    try:
        async with asyncio.timeout_at(_until()) as limit:
            return await work
    except TimeoutError as error:
        if limit.expired():
            raise Unavailable from error
        raise


def extend(seconds: float) -> None:
    """Give the request more time than others have: what it asks for takes it. Outside of requests there is no bound."""
    deadline = current_deadline.get()
    if deadline is not None:
        deadline.extend(seconds)


def without_deadline() -> None:
    """Call first in a task that serves several requests. It was given a copy of the context of the request that began
    it, whose deadline is not the others'."""
    current_deadline.set(None)
