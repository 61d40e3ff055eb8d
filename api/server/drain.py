"""Ending without a failed request: who is connected gets an answer, and is told that it is the last.

uvicorn by itself closes at once each connection on which it has read no request, also where one is on its way, and the
listening socket with all who wait in its queue; under load some do. Its master keeps that socket open until the last
worker has ended: whoever connects meanwhile waits for nobody.
"""

import asyncio
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.synchronize import Event
from types import FrameType

import uvicorn
from uvicorn.importer import import_from_string
from uvicorn.supervisors import Multiprocess, multiprocess

from api.ops.slots import Slots
from api.server.connection import ServingConfig
from api.server.protocol import DrainingProtocol
from api.server.watchdog import END_AFTER, LAST_LOOKS, LOOKS, Pulse, Watchdog
from core.log import logger

KILL_AFTER = END_AFTER + 0.4
"""Seconds from the master's SIGTERM to a worker until it is killed. The master looks for its own each half second."""
SPAWN = multiprocessing.get_context("spawn")


class DrainingConfig(ServingConfig):
    """`ending` is set once all workers are to end, and not one of them. Its application is made of `slots`."""

    ending: Event
    slots: Slots | None = None
    """Where the workers tell each other what they counted; None: there is one."""

    def load(self) -> None:
        # In the process that serves: the master imports no application.
        self.app = partial(import_from_string(self.app), self.slots)
        super().load()


class DrainingServer(uvicorn.Server):
    config: DrainingConfig

    def __init__(self, config: DrainingConfig, pulse: Pulse | None = None) -> None:
        super().__init__(config)
        self._watchdog = Watchdog(pulse)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._watchdog.start()
        try:
            await super().serve(sockets)
        finally:
            self._watchdog.leave()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._watchdog.watch()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._watchdog.terminated()
        if hasattr(self, "lifespan"):
            # Which requests get as their state: /readyz says so on connections that are still there.
            self.lifespan.state["is_ending"] = True
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        waiting = [connection for listening in sockets or [] for connection in self._close_door(listening)]
        loop = asyncio.get_running_loop()
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _close_door(self, listening: socket.socket) -> Sequence[socket.socket]:
        """Whoever is in the queue; nobody gets into it any more, they are refused and turn to another server.

        Nothing awaits in between. The queue is that of all workers: the first of them to end closes it for all.
        """
        waiting: list[socket.socket] = []
        with suppress(OSError):  # until the queue is empty, or another worker has closed it
            while True:
                connection, _ = listening.accept()
                connection.setblocking(False)
                waiting.append(connection)
        if self.config.ending.is_set():
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
        return waiting

    def _protocol(self) -> DrainingProtocol:
        return DrainingProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


class Worker(multiprocess.Process):
    config: DrainingConfig

    def __init__(self, config: DrainingConfig, sockets: list[socket.socket]) -> None:
        self._pulse = Pulse(SPAWN)
        super().__init__(config, sockets)

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = DrainingServer(self.config, self._pulse)
        return self._server

    def is_alive(self, timeout: float = 0) -> bool:
        """Whether it runs, and comes round or ends itself. Nothing is waited for.

        In place of uvicorn's ping of a thread, which a loop that spins lets answer, and a stopped process does not.
        """
        pid = self.process.pid
        if not self.process.is_alive() or pid is None:
            logger.error("worker ended", worker=pid, exit_code=self.process.exitcode)
            return False
        looks = self._pulse.looks_without(pid)
        if looks == LOOKS:
            logger.error("worker does not come round", worker=pid)
            os.kill(pid, signal.SIGPROF)  # of which it writes where it is, and ends
        return looks < LOOKS + LAST_LOOKS


# The name by which Multiprocess makes them.
multiprocess.Process = Worker  # type: ignore[misc, assignment]  # it is one, made with this class's configuration


class Master(Multiprocess):
    config: DrainingConfig

    def terminate_all(self) -> None:
        self.config.ending.set()
        super().terminate_all()

    def join_all(self) -> None:
        """Whoever cannot even end itself, because it was stopped, is killed."""
        until = time.monotonic() + KILL_AFTER
        for worker in self.processes:
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                logger.error("worker killed", worker=worker.pid)
                worker.process.kill()
        super().join_all()


def serve(config: DrainingConfig, listening: socket.socket) -> list[multiprocess.Process]:
    """Until SIGINT or SIGTERM; gives the worker processes, where there are any."""
    config.ending = SPAWN.Event()
    if config.workers > 1:
        config.slots = Slots(config.workers)
        master = Master(config, sockets=[listening])
        master.run()
        return master.processes
    config.ending.set()
    DrainingServer(config).run(sockets=[listening])
    return []
