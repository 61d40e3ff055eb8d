"""The application as each process that serves runs it. Apart from serve.py: no command but that need import it."""

import gc
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from api.app import create_app
from api.middleware.sharing import SHARING
from api.ops.docs import contract_of
from api.ops.slots import Slots
from api.server.bounds import Bounds
from api.server.prepared.hits import HITS, Hits
from api.server.server import EVENTS
from api.web.release import release
from core.runtime import Runtime
from core.telemetry.log_lines import LINES

COLLECTED_AFTER = (10_000, 10, 5)
"""Python's thresholds: of new objects, and of collections of the generation before. What is done with is freed at once
but for circles, and those that requests leave are SQLAlchemy's statements (tests/api/server/test_garbage.py): some
hundred objects at once where one was put together, and thousands, grown old by then, where a compiled one has left its
place to another. These wait for a full collection: 100 ms where it has 10,000 sessions and a full cache to walk. At
Python's 700 new objects it came every few seconds, and was the p99 of everything (bench.garbage); now it comes once in
a minute or more. More seldom is memory that a worker never gives back: of reads that never repeat 100 MB lay about at
10,000, 10, 10, and 300 MB after twelve minutes, and more with each, at 20,000, 20, 50 (bench.soak)."""
LAST_LINES = 0.3
"""Seconds that the log's last lines get to be written, where nobody reads them."""
ABANDONED_SECONDS = 1.2
"""A worker whose master was killed is gone within two."""


def application(slots: Slots | None) -> FastAPI:
    """The factory of each worker: the application, with what only a served process needs.

    `slots`: where the workers publish what they counted, for each other; None: there is one worker."""
    app = create_app()
    app.state.slots = slots
    # Now, for they take some 200 ms: whoever asked for them first would hold up all requests of this process.
    contract_of(app)
    release()
    opened = app.router.lifespan_context

    @asynccontextmanager
    async def served(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with opened(app):
            # A full collection walks all that start-up made, some 50 ms, and is the tail of every request it meets.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*COLLECTED_AFTER)
            gc.enable()  # again: starting was done without
            LINES.start(sys.stdout.fileno())
            runtime: Runtime = app.state.runtime
            # Streams are never idle: were they all connections, nobody else would get one.
            runtime.events.limit(Bounds.of(runtime.settings).connections // 2)
            left: dict[str, Any] = {SHARING: app.state.sharing, EVENTS: runtime.events}
            if runtime.tracing is None:  # a request that is to leave a span goes through the routes, which make them
                left[HITS] = Hits(runtime, app.state.request_stats)
            try:
                yield left
            finally:
                LINES.close(LAST_LINES)

    app.router.lifespan_context = served
    master = multiprocessing.parent_process()
    if master is not None:
        threading.Thread(target=_end_with, args=(master.sentinel,), daemon=True, name="end with the master").start()
    return app


def _end_with(sentinel: int) -> None:
    """In a worker: a master that was killed ended nobody."""
    multiprocessing.connection.wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ABANDONED_SECONDS)
    os._exit(1)
