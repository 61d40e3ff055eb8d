"""One flight: callers of the same key share one computation, which none of them can cancel.

The only place where several wait for one task. A flight has landed as soon as its task is done, and not only when the
event loop has told so: awaiting a finished task waits for nothing, and whoever looked again after each join would keep
the loop to themselves for ever.
"""

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
        """(result, whether somebody else's flight was joined), of the one under way or else of a new one.

        Its error goes to all who wait, and is not kept. Raises Unavailable where a request's own time is up first.
        Always waits: other tasks get their turn.

        The task is detached and shielded: a client that disconnects cancels its own wait, not the work.
        """
        task = self._under_way(key)
        joined = task is not None
        if task is None:
            task = self._begin(key, compute)
        return await in_time(asyncio.shield(task)), joined

    async def landed(self, key: str) -> None:
        """Return once the flight that is under way now, if any, has ended, however it ends. Whoever joins then gets
        one that began after they asked, and so sees what was written before.

        Raises Unavailable where a request's own time is up first.
        """
        task = self._under_way(key)
        if task is not None:
            await in_time(asyncio.wait({task}))

    def _under_way(self, key: str) -> "asyncio.Task[T] | None":
        task = self._flying.get(key)
        return None if task is None or task.done() else task

    def _begin(self, key: str, compute: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        async def fly() -> T:
            shared()
            return await compute()

        task = self._flying[key] = asyncio.create_task(fly(), name=f"flight {key}")
        task.add_done_callback(lambda done: self._forget(key, done))
        return task

    def _forget(self, key: str, task: "asyncio.Task[T]") -> None:
        if self._flying.get(key) is task:
            del self._flying[key]
        if not task.cancelled():
            task.exception()  # retrieved here too: all who waited may have left

    def __len__(self) -> int:
        """Flights under way."""
        return sum(not task.done() for task in self._flying.values())

    async def drain(self, within: float) -> None:
        """Wait for what is under way, `within` seconds at most; then cancel."""
        tasks = list(self._flying.values())
        if tasks:
            await asyncio.wait(tasks, timeout=within)
        for task in tasks:
            task.cancel()
