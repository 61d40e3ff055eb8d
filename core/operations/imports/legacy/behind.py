"""Storing one batch while the next one is made: the database and this process work at the same time."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any


class Behind:
    """One piece of work at a time, which goes on by itself. `wait`, and leaving the block, raise what it raised."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Until the work that was started has ended, if any was."""
        task, self._task = self._task, None
        if task is not None:
            await task

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Call `wait` before: both use one connection, which does one thing at a time."""
        self._task = asyncio.create_task(work)

    async def __aenter__(self) -> "Behind":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.wait()
        elif self._task is not None:
            # The error that ends the block is the one to raise.
            self._task.cancel()
            with suppress(Exception, asyncio.CancelledError):
                await self._task
