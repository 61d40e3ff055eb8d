"""The turns that fills wait for: an empty Redis must not become a full database, and no reader waits for a refresh."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from core import times
from core.errors import Unavailable

T = TypeVar("T")

AT_ONCE = 8
"""Fills at once per process."""
AHEAD = 4
"""Of so many turns one may be a refresh ahead of the reader; one may be in any case."""


class FillTurn:
    """One fill's. A turn ahead of the reader waits for all others."""

    def __init__(self, *, ahead: bool = False) -> None:
        self.ahead = ahead
        self.granted: asyncio.Future[None] | None = None
        """None before it waits."""
        self.limit: asyncio.Timeout | None = None
        self.counts_as_ahead = False


class FillSlots:
    """Bounds the fills that run at once in this process."""

    def __init__(self, pool_size: int) -> None:
        # Two connections stay for writes, sessions and version rows, however many fills wait.
        self._free = max(1, min(AT_ONCE, pool_size - 2))
        self._free_ahead = max(1, self._free // AHEAD)
        self._waiting: list[FillTurn] = []

    async def run(self, work: Callable[[float], Awaitable[T]], turn: FillTurn | None = None) -> T:
        """`work(seconds left)` once it is this turn. Raises Unavailable where it is not in time."""
        turn = turn or FillTurn()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(times.FILL) as turn.limit:
                await self._wait(turn)
        except TimeoutError as error:
            raise Unavailable("Too many computations are waiting just now.") from error
        try:
            until = turn.limit.when() or 0.0
            return await work(max(0.05, until - loop.time()))
        finally:
            self._give_back(turn)

    def __len__(self) -> int:
        """Fills that wait for their turn."""
        return len(self._waiting)

    def hurry(self, turn: FillTurn) -> None:
        """A reader waits for it: from now on it is an ordinary turn, with an ordinary turn's time."""
        if turn.ahead:
            turn.ahead = False
            if turn in self._waiting and turn.limit is not None:
                turn.limit.reschedule(asyncio.get_running_loop().time() + times.FILL)
            self._grant()

    async def _wait(self, turn: FillTurn) -> None:
        turn.granted = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._grant()
        try:
            await turn.granted
        except BaseException:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:
                self._give_back(turn)
            raise

    def _grant(self) -> None:
        for turn in sorted(self._waiting, key=lambda waiting: waiting.ahead):
            if not self._free or (turn.ahead and not self._free_ahead):
                return
            self._waiting.remove(turn)
            self._free -= 1
            self._free_ahead -= turn.ahead
            turn.counts_as_ahead = turn.ahead
            if turn.granted is not None:
                turn.granted.set_result(None)

    def _give_back(self, turn: FillTurn) -> None:
        self._free += 1
        self._free_ahead += turn.counts_as_ahead
        self._grant()
