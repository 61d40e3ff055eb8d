"""The server in each process. It ends without a failed request: whoever is connected gets an answer that says it is the
last.

uvicorn by itself closes at once each connection on which it has read no request, also where one is on its way, and the
listening socket with all who wait in its queue; under load some do.
"""

import asyncio
import gc
import socket
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.synchronize import Event
from types import FrameType
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.importer import import_from_string

from api.ops.slots import Slots
from api.server.prepared.hit_protocol import HitProtocol
from api.server.timing import ServingConfig
from api.server.watchdog import Pulse, Watchdog

if TYPE_CHECKING:  # the master imports nothing that serves
    from core.events.events import Events

EVENTS: Final = "events"
"""Where the application leaves its streams of events, in the lifespan's state: they end before the process does."""


class DrainingConfig(ServingConfig):
    """`ending` is set once all workers are to end, and not one of them. Its application is made of `slots`."""

    ending: Event
    slots: Slots | None = None
    """Where the workers publish what they counted, for each other; None: there is one worker."""

    def load(self) -> None:
        # In the process that serves: the master imports no application. What is made from here until it serves is kept
        # for good (api/server/application.py): nobody has to look through it for garbage.
        gc.disable()
        self.app = partial(import_from_string(self.app), self.slots)
        super().load()


class DrainingServer(uvicorn.Server):
    """uvicorn's server with a watchdog, which at shutdown takes in who waits at the door, and refuses nobody who was
    connected."""

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
        events: Events | None = self.lifespan.state.get(EVENTS)
        if events is not None:
            events.end_all()
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

    def _protocol(self) -> HitProtocol:
        return HitProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
