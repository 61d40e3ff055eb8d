"""A client's connection: one request at a time over a plain socket, opened anew when it broke."""

import asyncio
import contextlib
from collections.abc import Mapping

from core.clock import boottime
from tests.faults.clients.crowd import Answer, read_answer

IDLE = 4.0
"""Seconds after which a connection is not used again: uvicorn closes it after 5."""
GIVES_UP = 15.0
"""Seconds. A process is stopped for 5, and nothing else may keep a client waiting for long."""


class Connection:
    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = float("inf")
        """When it was last asked over; it waits for its first request as long as it takes."""

    async def open(self) -> None:
        if self._ends is None:
            self._used = float("inf")
            self._ends = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Raises ConnectionError where it broke, TimeoutError where nothing comes."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        try:
            async with asyncio.timeout(GIVES_UP):
                if boottime() - self._used > IDLE:
                    self.close()
                await self.open()
                self._used = boottime()
                assert self._ends is not None
                reader, writer = self._ends
                writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
                return await read_answer(reader)
        except asyncio.IncompleteReadError as error:
            self.close()
            raise ConnectionResetError from error
        except BaseException:
            # An answer that comes later would be taken for the next one's.
            self.close()
            raise

    def close(self) -> None:
        if self._ends is not None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                self._ends[1].close()
            self._ends = None
