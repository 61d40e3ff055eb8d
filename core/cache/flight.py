"""One flight: callers of the same key share one computation, which none of them can cancel."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from core.deadline import in_time, shared

T = TypeVar("T")


class Flights(Generic[T]):
    """Keyed by the full entry key, versions included: a flight that began before a write is not joined after it."""

    def __init__(self) -> None:
        self._flying: dict[str, asyncio.Task[T]] = {}

    async def join(self, key: str, compute: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """(result, whether somebody else's flight was joined). Its error goes to all who wait, and is not kept.
        Raises Unavailable where a request's own time is up first.

        The task is detached and shielded: a client that disconnects cancels its own wait, not the work.
        """
        task = self._flying.get(key)
        joined = task is not None
        if task is None:

            async def fly() -> T:
                shared()
                return await compute()

            task = self._flying[key] = asyncio.create_task(fly(), name=f"flight {key}")
            task.add_done_callback(lambda done: self._landed(key, done))
        return await in_time(asyncio.shield(task)), joined

    def _landed(self, key: str, task: "asyncio.Task[T]") -> None:
        if self._flying.get(key) is task:
            del self._flying[key]
        if not task.cancelled():
            task.exception()  # retrieved here too: all who waited may have left

    def __len__(self) -> int:
        return len(self._flying)

    async def drain(self, within: float) -> None:
        """Wait for what is under way, `within` seconds at most; then cancel."""
        tasks = list(self._flying.values())
        if tasks:
            await asyncio.wait(tasks, timeout=within)
        for task in tasks:
            task.cancel()
