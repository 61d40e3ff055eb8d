"""Work that goes on beside requests. Its starter does not wait for it; at shutdown its owner ends it."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextvars import Context
from typing import Any

from core.telemetry.log import logger

AGAIN = 0.1
"""Seconds after which a task that was cancelled, and has not ended, is cancelled once more."""


class Background:
    """The tasks of one owner. What a task raises is logged and goes no further.

    At shutdown the owner calls `drain` where the tasks end by themselves, `cancel` where they run for ever.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], *, name: str) -> "asyncio.Task[Any]":
        """Run `work` beside whatever runs now. `name` is for the log."""
        # In an empty context: neither its time limit nor its statements are those of the request that starts it.
        task = asyncio.create_task(work, name=name, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("background work failed", task=task.get_name(), error=type(error).__name__, exc_info=error)

    def __len__(self) -> int:
        """Tasks that have not ended."""
        return len(self._tasks)

    async def drain(self, within: float) -> None:
        """Wait until all have ended, `within` seconds at most; then cancel those that have not."""
        await drain(lambda: self._tasks, within)

    async def cancel(self, within: float) -> None:
        """Cancel all and wait until they have ended, `within` seconds at most; what has not is left behind."""
        await cancel(self._tasks, within)


async def drain(running: Callable[[], Collection["asyncio.Task[Any]"]], within: float) -> None:
    """Wait until `running` gives no task any more, `within` seconds at most; then cancel those that it gives, and wait
    until they have ended."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    while (tasks := running()) and (left := until - loop.time()) > 0:
        await asyncio.wait(set(tasks), timeout=left)
    await cancel(running(), AGAIN)


async def cancel(tasks: Collection["asyncio.Task[Any]"], within: float) -> None:
    """Cancel all and wait until they have ended, `within` seconds at most: what has not ended then is left behind.

    One cancellation is not enough. One that comes as an awaited operation ends may be swallowed (`asyncio.wait_for`
    of Python 3.11 does that, in whatever library), and a shutdown that waits for the task would never end.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=AGAIN)
        if running and loop.time() > until:
            logger.warning("background work did not end", tasks=sorted(task.get_name() for task in running))
            return
