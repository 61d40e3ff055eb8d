import asyncio
import socket
import threading
import time

import pytest

from core.cache.tiers.time_limit import TimeLimit
from tests.support import machine


async def test_what_takes_too_long_is_cut_off() -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(TimeoutError):
        async with TimeLimit(0.05):
            await asyncio.Event().wait()
    assert loop.time() - started >= 0.05


async def test_what_ends_in_time_is_left_alone_and_so_is_what_comes_after() -> None:
    began = machine.now()
    async with TimeLimit(1.0):
        await asyncio.sleep(0)
    while machine.now() - began < 1.1:  # noqa: ASYNC110  until its time is over
        # Its time passes: nothing may come of it.
        await asyncio.sleep(0.1)


async def test_an_answer_that_came_while_our_loop_was_held_up_counts() -> None:
    here, there = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=here)
    answering = threading.Timer(0.1, there.sendall, [b"ok"])
    answering.start()
    asyncio.get_running_loop().call_soon(time.sleep, 0.3)
    async with TimeLimit(0.05):
        assert await reader.read(2) == b"ok"
    answering.join()
    writer.close()
    there.close()


async def test_a_cancelled_caller_is_cancelled_and_not_timed_out() -> None:
    async def call() -> None:
        async with TimeLimit(60):
            asked.set()
            await asyncio.Event().wait()

    asked = asyncio.Event()
    task = asyncio.create_task(call())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
