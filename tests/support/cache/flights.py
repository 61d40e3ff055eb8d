"""Readers that wait for one computation: how many have come, so that a test knows when all of them wait."""

from collections.abc import Awaitable, Callable
from typing import Any

from core.cache.single_flight import Flights


def joins(flights: Flights[Any]) -> Callable[[], int]:
    """How many callers have come for a flight since, its first one included."""
    join, come = flights.join, 0

    async def counted(key: str, compute: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
        nonlocal come
        come += 1
        return await join(key, compute)

    flights.join = counted  # type: ignore[method-assign]
    return lambda: come
