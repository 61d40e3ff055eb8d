"""A closed loop in asyncio, which runs beside other things and keeps a sample of every request."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple


class Sample(NamedTuple):
    ended: float
    """perf_counter"""
    seconds: float
    status: int
    """0: the connection broke."""
    hit: bool
    """Its Cache-Status tells a hit."""


@dataclass(frozen=True)
class Window:
    """What was answered in a stretch of time. Times are milliseconds; infinite where nothing was."""

    began: float
    requests: int
    failed: int
    p50: float
    p99: float


def window(samples: Sequence[Sample], began: float, seconds: float) -> Window:
    inside = [sample for sample in samples if began <= sample.ended < began + seconds]
    times = sorted(sample.seconds * 1000 for sample in inside)
    failed = sum(sample.status != 200 for sample in inside)
    if not times:
        return Window(began, 0, failed, float("inf"), float("inf"))
    return Window(began, len(times), failed, statistics.median(times), times[int(0.99 * (len(times) - 1))])


class Load:
    """`requests` are (path, bearer header), asked in turns by all connections."""

    def __init__(self, port: int, requests: Sequence[tuple[str, str]]) -> None:
        self._port = port
        self._requests = [
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {bearer}\r\n\r\n".encode()
            for path, bearer in requests
        ]
        self._next = 0
        self.samples: list[Sample] = []

    @asynccontextmanager
    async def on(self, connections: int) -> AsyncIterator[None]:
        clients = [asyncio.create_task(self._ask()) for _ in range(connections)]
        try:
            yield
        finally:
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)

    async def _ask(self) -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                while True:
                    self._next = (self._next + 1) % len(self._requests)
                    started = perf_counter()
                    writer.write(self._requests[self._next])
                    head = await _answer(reader)
                    self._note(started, int(head[9:12]), b"; hit" in head)
            except (ConnectionError, asyncio.IncompleteReadError):
                self._note(started, 0, False)
                await asyncio.sleep(0.01)
            finally:
                writer.close()

    def _note(self, started: float, status: int, hit: bool) -> None:
        ended = perf_counter()
        self.samples.append(Sample(ended, ended - started, status, hit))


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The answer's head; its body is read, too."""
    head = await reader.readuntil(b"\r\n\r\n")
    at = head.lower().index(b"content-length:") + 15
    await reader.readexactly(int(head[at : head.index(b"\r", at)]))
    return head
