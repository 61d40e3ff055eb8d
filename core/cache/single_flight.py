"""Single flight: callers of the same key share one computation. And beside it the asyncio lock per key, for callers
that must each do their own work, one after the other. Whoever waits for somebody else's task does it here.

| | the flight, `Flights` | the lock, `Locks` |
|---|---|---|
| who comes while one works | gets that one's result or error | waits, then works |
| a caller is cancelled | the work goes on for the others | its own work ends, the next one's begins |
| ends | as its task is done | as its block is left |

There are two ways to join a flight: `join` takes the one under way; `join_next` only one that begins after the call,
for callers that must see what was written before it. Neither takes a flight whose task is done, even if the event loop
has not yet called its callbacks: awaiting a finished task does not wait, and a caller that looked again after each join
would keep the loop to itself for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from core.background import drain
from core.deadline import in_time, without_deadline

T = TypeVar("T")


class Locks:
    """One lock per key, kept while somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """For `async with locks.of(key):`."""
        return self._locks.setdefault(key, asyncio.Lock())

    def __contains__(self, key: str) -> bool:
        """Whether somebody holds it or waits for it. (A lock that was just released is not `locked`, even if others
        wait.)"""
        return key in self._locks

    def __len__(self) -> int:
        """Locks that somebody holds or waits for."""
        return len(self._locks)


class Flights(Generic[T]):
    """One task per key, detached and shielded: a caller that is cancelled, by a client that disconnects for example,
    stops waiting and stops nothing else. Errors go to all who wait, and are not kept.

    An entry's key has its versions in it: a flight that began before a write is not joined by who asks after it.
    """

    def __init__(self) -> None:
        self._flying: dict[str, asyncio.Task[T]] = {}

    async def join(self, key: str, compute: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """(result, whether another caller began it) of the flight under way, or else of a new one.

        Raises what `compute` raises, and Unavailable where the request's deadline is first. Always waits: other tasks
        get their turn.
        """
        task = self._under_way(key)
        joined = task is not None
        if task is None:
            task = self._begin(key, compute)
        return await in_time(asyncio.shield(task)), joined

    async def join_next(self, key: str, compute: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """As `join`, of a flight that begins after this call: all who wait for the one under way share the next."""
        await self.landed(key)
        return await self.join(key, compute)

    async def landed(self, key: str) -> None:
        """Return once the flight under way now, if any, has ended, with a result or an error.

        Raises Unavailable where the request's deadline is first.
        """
        task = self._under_way(key)
        if task is not None:
            await in_time(asyncio.wait({task}))

    def _under_way(self, key: str) -> "asyncio.Task[T] | None":
        task = self._flying.get(key)
        return None if task is None or task.done() else task

    def _begin(self, key: str, compute: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        async def fly() -> T:
            without_deadline()
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
        """Wait until no flight is under way, `within` seconds at most; then cancel those that are, and wait until they
        have ended: what they use is closed next."""
        await drain(self._flying.values, within)
