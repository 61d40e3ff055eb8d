"""Whether an event loop turns: how long it did not, while something else is done."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

EVERY = 0.005


@asynccontextmanager
async def beating() -> AsyncIterator[list[float]]:
    """Seconds by which the loop was late, each time that it should have turned. The last one is there at the end."""
    pauses: list[float] = []

    async def beat() -> None:
        while True:
            due = time.monotonic() + EVERY
            await asyncio.sleep(EVERY)
            pauses.append(time.monotonic() - due)

    task = asyncio.create_task(beat())
    await asyncio.sleep(2 * EVERY)  # it beats
    pauses.clear()
    try:
        yield pauses
        count = len(pauses)
        while len(pauses) == count:  # noqa: ASYNC110  it is the loop's turn that is waited for
            await asyncio.sleep(EVERY)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
