"""Whether every process goes on: one that nobody has stopped answers `/livez`, whatever else is broken."""

import asyncio

from core.clock import boottime
from tests.faults.chaos.history.history import Silence
from tests.faults.chaos.http import Connection
from tests.faults.chaos.load import World
from tests.support import machine

ANSWERS = 5.0
"""Seconds, on a calm machine."""
EVERY = 0.25
LOOK = 0.1


class Watcher:
    """Asks one process now and then whether it is alive, each time over a new connection."""

    def __init__(self, world: World, process: int) -> None:
        self._world = world
        self._process = process
        self._connection = Connection(world.ports[process])

    def close(self) -> None:
        self._connection.close()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            if self._process not in self._world.stopped:
                await self._look()

    async def _look(self) -> None:
        """Return once it answers, is stopped, or is late with it. One that ended by itself refuses connections."""
        began, measured = boottime(), machine.now()
        asking = asyncio.create_task(self._ask())
        try:
            while not asking.done():
                await asyncio.wait({asking}, timeout=LOOK)
                if self._process in self._world.stopped:
                    return
                if machine.now() - measured > machine.bound(ANSWERS, measured):
                    self._world.history.add(Silence(self._process, began, boottime()))
                    return
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            self.close()

    async def _ask(self) -> None:
        while True:
            try:
                await self._connection.ask("GET", "/livez", {})
            except (ConnectionError, TimeoutError):
                await asyncio.sleep(LOOK)
            else:
                return
