"""The process that starts the workers, looks whether they live, and ends them. One worker has none, and is started
here.

uvicorn's master keeps the listening socket open until the last worker has ended: whoever connects meanwhile waits for
nobody. So the workers close it for all (api/server/server.py).
"""

import multiprocessing
import os
import signal
import socket
import time

import uvicorn
from uvicorn.supervisors import Multiprocess, multiprocess

from api.ops.slots import Slots
from api.server.server import DrainingConfig, DrainingServer
from api.server.watchdog import END_AFTER, LAST_LOOKS, LOOKS, Pulse
from core.telemetry.log import logger

KILL_AFTER = END_AFTER + 0.4
"""Seconds from the master's SIGTERM to a worker until it is killed. The master looks for its own each half second."""
SPAWN = multiprocessing.get_context("spawn")


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
        """Whether it runs, and its loop comes round or it ends itself. Nothing is waited for.

        In place of uvicorn's ping, which a thread of the worker answers: it would answer beside a loop that spins, and
        not in a process that was merely stopped.
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
