"""Connections without sockets: what a protocol is fed, and what it writes."""

import asyncio
from typing import Any

from uvicorn.server import ServerState

from api.server.prepared.hit_protocol import HitProtocol
from api.server.protocol import DrainingProtocol
from api.server.timing import ServingConfig
from tests.api.server.wire import bounds


class InMemoryTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 4711), "sockname": ("192.0.2.1", 80)})
        self.written = bytearray()
        self.is_closed = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written += data

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        raise NotImplementedError

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("192.0.2.7", 4711), "sockname": ("192.0.2.1", 80)}.get(name, default)


class InMemoryConnection:
    def __init__(self, protocol: DrainingProtocol) -> None:
        self.protocol = protocol
        self.started = 0
        """Tasks of the application."""
        self.transport = InMemoryTransport()
        protocol.connection_made(self.transport)

    async def ask(self, *segments: bytes, at_once: bool = False) -> bytes:
        """What is answered until nothing is under way. `at_once`: nobody waits for an answer before the next segment is
        sent."""
        for segment in segments:
            if not self.transport.is_closed:
                self.protocol.data_received(segment)
            if not at_once:
                await self.settled()
        await self.settled()
        answered = bytes(self.transport.written)
        self.transport.written.clear()
        return answered

    async def settled(self) -> None:
        while self.protocol.tasks:
            self.started += len(self.protocol.tasks)
            await asyncio.wait(set(self.protocol.tasks))
            await asyncio.sleep(0)


def connect(config: ServingConfig, state: ServerState, app_state: dict[str, Any]) -> InMemoryConnection:
    return InMemoryConnection(HitProtocol(config, state, app_state, asyncio.get_running_loop()))


def config_of(app: Any) -> ServingConfig:
    config = ServingConfig(app, log_config=None, access_log=False, lifespan="off", ws="none")
    config.bounds = bounds()
    config.load()
    return config
