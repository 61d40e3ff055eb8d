"""`ticket-home` with routes that hang its event loop, each in a way of its own. For tests alone.

Run as `python -m tests.faults.processes.hanging_service serve --workers 2`.
"""

import asyncio
import ctypes
import re
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.cli.main import main
from api.ops.slots import Slots
from api.server import serve
from api.server.application import application as served_application


def spin_in_python() -> None:
    while True:
        pass


def spin_in_c() -> None:
    """Backtracks for years, and holds the interpreter's lock meanwhile."""
    re.match(r"(a|a)*b", "a" * 60)


def sleep() -> None:
    time.sleep(3600)  # for ever: the test ends the process


def wait_for_a_lock() -> None:
    lock = threading.Lock()
    with lock:
        lock.acquire()


def wait_in_c() -> None:
    """In a library that was never meant to be called with the interpreter's lock held."""
    ctypes.PyDLL(None).sleep(3600)


HANGS: dict[str, Callable[[], None]] = {
    one.__name__: one for one in (spin_in_python, spin_in_c, sleep, wait_for_a_lock, wait_in_c)
}


async def await_what_is_done() -> None:
    """Never yields, as a join of a finished task."""
    done = asyncio.get_running_loop().create_future()
    done.set_result(None)
    while True:
        await done


def application(slots: Slots | None) -> FastAPI:
    app = served_application(slots)
    served = app.router.lifespan_context

    @app.get("/hang/{how}", include_in_schema=False)
    async def hang(how: str) -> None:
        if how == await_what_is_done.__name__:
            await await_what_is_done()
        else:
            HANGS[how]()

    @app.get("/hang-where-nobody-reads-the-log", include_in_schema=False)
    async def hang_where_nobody_reads_the_log() -> None:
        while True:
            sys.stdout.write("x" * 1000 + "\n")
            sys.stdout.flush()

    @app.get("/hang-at-the-end", include_in_schema=False)
    async def hang_at_the_end() -> None:
        app.state.is_to_hang = True

    @asynccontextmanager
    async def hanging(app: FastAPI) -> AsyncIterator[None]:
        async with served(app):
            yield
            if getattr(app.state, "is_to_hang", False):
                await asyncio.Event().wait()

    app.router.lifespan_context = hanging
    return app


if __name__ == "__main__":
    serve.APPLICATION = "tests.faults.processes.hanging_service:application"
    main()
