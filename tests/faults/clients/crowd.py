"""Many clients that ask at once: connections made beforehand, and no client library's own queue in between."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes


class Crowd:
    def __init__(
        self, ends: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]], headers: Mapping[str, str]
    ) -> None:
        self._ends = ends
        self._headers = headers

    async def get(self, path: str) -> list[Answer]:
        """One answer for each client, asked for at once. Raises IncompleteReadError where a connection broke."""
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self._headers.items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        for _, writer in self._ends:
            writer.write(request)
        return list(await asyncio.gather(*(read_answer(reader) for reader, _ in self._ends)))


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = httpx.Headers([(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)])
    return Answer(int(first.split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0))))


@asynccontextmanager
async def crowd(port: int, size: int, headers: Mapping[str, str]) -> AsyncIterator[Crowd]:
    ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(size)]
    try:
        yield Crowd(ends, headers)
    finally:
        for _, writer in ends:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in ends), return_exceptions=True)
