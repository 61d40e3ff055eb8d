"""The protocol over real sockets, on the loop that serves, with an application that a test gives it."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from api.server.bounds import Bounds
from api.server.prepared.hit_protocol import HitProtocol
from api.server.timing import ServingConfig

PATIENCE = 20.0
"""Seconds until a test gives up waiting for what has to come."""
LONG = 3600.0

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


def bounds(**given: Any) -> Bounds:
    """Those that no test meets by chance, but for the given ones."""
    return Bounds(**{"keep_alive": LONG, "head": LONG, "body": LONG, "head_bytes": 32768, "connections": 1000} | given)


@dataclass
class Wire:
    """A client's socket: what is sent, and what comes until the server has nothing more to say."""

    socket: socket.socket
    came: bytes = b""

    def send(self, *parts: bytes) -> "Wire":
        for part in parts:
            self.socket.sendall(part)
        return self

    def half_close(self) -> "Wire":
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def all(self) -> bytes:
        """Until the server closes, or resets."""
        if self.socket.fileno() < 0:
            return self.came
        try:
            while part := self.socket.recv(65536):
                self.came += part
        except ConnectionError:
            pass
        self.socket.close()
        return self.came

    def until(self, mark: bytes, times: int = 1) -> bytes:
        while self.came.count(mark) < times:
            part = self.socket.recv(65536)
            assert part, f"closed after {self.came!r}"
            self.came += part
        return self.came

    def status(self) -> int:
        """Of the first answer, once the server has closed."""
        return int(self.all().split(b" ", 2)[1])

    def is_closed(self) -> bool:
        """Without an answer."""
        return self.all() == b""


@dataclass
class Served:
    port: int
    loop: asyncio.AbstractEventLoop
    state: ServerState
    errors: list[dict[str, Any]] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)

    def connect(self) -> Wire:
        self.wires.append(Wire(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)))
        return self.wires[-1]

    def ask(self, *parts: bytes) -> Wire:
        return self.connect().send(*parts)

    def shutdown(self) -> None:
        """As the server does at its end."""

        def each() -> None:
            for one in list(self.state.connections):
                one.shutdown()

        self.loop.call_soon_threadsafe(each)


@contextmanager
def serving(app: ASGIApp, *, root_path: str = "", **given: Any) -> Iterator[Served]:
    config = ServingConfig(app, root_path=root_path, log_config=None, access_log=False, lifespan="off", ws="none")
    config.bounds = bounds(**given)
    ready: list[Served] = []
    is_ready, is_over = threading.Event(), asyncio.Event()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        state = ServerState()
        server = await loop.create_server(lambda: HitProtocol(config, state, {}, loop), "127.0.0.1", 0, backlog=1000)
        ready.append(Served(server.sockets[0].getsockname()[1], loop, state))
        loop.set_exception_handler(lambda _, context: ready[0].errors.append(context))
        is_ready.set()
        await is_over.wait()
        server.close()
        for one in list(state.connections):
            one.transport.abort()
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)

    thread = threading.Thread(target=uvloop.run, args=(run(),), daemon=True)
    thread.start()
    assert is_ready.wait(PATIENCE)
    try:
        yield ready[0]
    finally:
        ready[0].loop.call_soon_threadsafe(is_over.set)
        thread.join(PATIENCE)
        for wire in ready[0].wires:
            wire.socket.close()
    assert ready[0].errors == []
