"""One request computes a key while the others wait: what `@cache` alone does not do, for all of them would compute."""

import asyncio
from functools import partial

from core.cache.single_flight import Locks
from core.deadline import in_time


class Turns:
    """Whoever misses a key holds its lock until the answer is stored, or the request has ended without one. The others
    wait for the lock, and then find the answer.

    A lock and not a flight: a Backend is given what was computed, and cannot compute it.
    """

    def __init__(self) -> None:
        self._locks = Locks()
        self._held: dict[str, tuple[asyncio.Lock, asyncio.Task[object] | None]] = {}

    async def take(self, key: str) -> bool:
        """Whether it was another request's turn before. Raises Unavailable where this one's deadline is first."""
        task = asyncio.current_task()
        if key in self._held and self._held[key][1] is task:
            return False  # it tried before, and nothing was stored
        waits = key in self._locks
        lock = self._locks.of(key)
        await in_time(lock.acquire())
        self._held[key] = (lock, task)
        if task is not None:
            task.add_done_callback(partial(self._give_back, key))
        return waits

    def give_back(self, key: str) -> None:
        """The turn, if it is the current task's."""
        self._give_back(key, asyncio.current_task())

    def _give_back(self, key: str, task: "asyncio.Task[object] | None") -> None:
        lock, holder = self._held.get(key, (None, None))
        if lock is not None and holder is task:
            del self._held[key]
            lock.release()
