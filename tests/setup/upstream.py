"""Servers behind a balancer that do what the service never does by itself: each notes what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Upstream:
    answer: Answer
    ports: list[int] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    """Of each request to any of the servers, but for health checks."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = [line for line in head.lower().splitlines() if line.startswith("content-length:")]
                await reader.readexactly(int(length[0].split(":")[1]) if length else 0)
                if " /readyz " in head:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    continue
                self.heads.append(head)
                await self.answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it was closed
        finally:
            writer.close()


@asynccontextmanager
async def upstream(answer: Answer, count: int = 2) -> AsyncIterator[Upstream]:
    """`count` servers that answer so."""
    made = Upstream(answer)
    servers = [await asyncio.start_server(made.serve, "127.0.0.1", 0) for _ in range(count)]
    made.ports = [server.sockets[0].getsockname()[1] for server in servers]
    try:
        yield made
    finally:
        for server in servers:
            server.close()
