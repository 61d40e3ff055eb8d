"""A time limit for somebody else's answer, which pauses of our own event loop do not use up."""

import asyncio
from types import TracebackType

TICKS = 5


class TimeLimit:
    """`async with TimeLimit(0.1):` raises TimeoutError after that long.

    It is counted in ticks, and a tick that comes late counts once: when the loop was held up for half a second (a large
    answer, a collection, a stopped process), what came in meanwhile is looked at before anyone is blamed. With
    `asyncio.timeout` every such pause looks like a hung Redis.
    """

    def __init__(self, seconds: float) -> None:
        self._tick_seconds = seconds / TICKS
        self._left = TICKS
        self._limit = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        self._loop = asyncio.get_running_loop()
        self._alarm = self._loop.call_later(self._tick_seconds, self._tick)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._alarm.cancel()
        await self._limit.__aexit__(kind, error, trace)

    def _tick(self) -> None:
        self._left -= 1
        if self._left:
            self._alarm = self._loop.call_later(self._tick_seconds, self._tick)
        else:
            self._limit.reschedule(self._loop.time())
