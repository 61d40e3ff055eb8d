"""Clients of `GET /v1/events`: of an application in this process, and of a service at a port."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from core.settings import Settings
from tests.support import machine

PATH = "/v1/events"
COMMENT = "comment"


def lasting(settings: Settings, **more: Any) -> Settings:
    """Streams go on, as they do in service."""
    return settings.model_copy(update={"event_seconds": 900.0} | more)


@dataclass(frozen=True)
class Event:
    name: str
    """COMMENT for one that says nothing."""
    data: dict[str, Any]
    id: str | None = None

    @property
    def words(self) -> dict[tuple[int | None, str], str]:
        """What it says of versions: (clinic, topic) → the word of `Cache-Version`."""
        told = self.data.get("versions", [self.data] if self.name == "change" else [])
        return {(one["clinic_id"], one["topic"]): one["version"] for one in told}


def event_in(block: str) -> Event:
    """Of the lines before an empty one."""
    lines = dict(line.partition(":")[::2] for line in block.splitlines())
    said = {name: value.strip() for name, value in lines.items()}
    if "data" not in said:
        assert set(said) <= {"", "retry"}, block
        return Event(COMMENT, {})
    return Event(said["event"], json.loads(said["data"]), said.get("id"))


@dataclass
class Client:
    """`events` are those that have come; `next` waits for one."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_over: bool = False
    _events: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)

    def take(self, chunk: bytes) -> None:
        self.body += chunk
        *blocks, rest = self.body.decode().split("\n\n")
        if self.headers.get("content-type") == "text/event-stream":
            for block in blocks:
                self._events.put_nowait(event_in(block))
            self.body = rest.encode()

    def over(self) -> None:
        self.is_over = True
        self._events.put_nowait(None)

    async def next(self, *names: str) -> Event:
        """The next event, of one of these names where any are given. Comments are passed over unless named."""
        async with asyncio.timeout(machine.PATIENCE):
            while True:
                event = await self._events.get()
                assert event is not None, f"the stream is over: {self.status} {self.body!r}"
                if event.name in names or (not names and event.name != COMMENT):
                    return event

    async def all(self) -> AsyncIterator[Event]:
        """All that come, comments among them, until the stream is over."""
        while (event := await self._events.get()) is not None:
            yield event

    async def until_over(self) -> None:
        async with asyncio.timeout(machine.PATIENCE):
            while await self._events.get() is not None:
                pass

    def come(self) -> list[Event]:
        """Those that have come and that nobody has asked for, without comments."""
        found = []
        while not self._events.empty():
            event = self._events.get_nowait()
            if event is not None and event.name != COMMENT:
                found.append(event)
        return found


@asynccontextmanager
async def streaming(app: FastAPI, headers: Mapping[str, str], query: str = "") -> AsyncIterator[Client]:
    """A client of an application in this process, once its answer has begun; it leaves at the end."""
    client, begun, leaves = Client(), asyncio.Event(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            client.status = message["status"]
            client.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            begun.set()
            return
        client.take(message["body"])
        if not message.get("more_body"):
            client.over()

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": PATH, "raw_path": PATH.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"x"), *((name.lower().encode(), value.encode()) for name, value in headers.items())],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    asked: Any = app(scope, receive, send)
    answering = asyncio.create_task(asked)
    try:
        async with asyncio.timeout(machine.PATIENCE):
            await begun.wait()
        yield client
    finally:
        leaves.set()
        await answering


@asynccontextmanager
async def connected(port: int, headers: Mapping[str, str], query: str = "") -> AsyncIterator[Client]:
    """A client of a service at a port of this machine, once its answer has begun."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reading = None
    try:
        writer.write(request(headers, query))
        client = Client()
        async with asyncio.timeout(machine.PATIENCE):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")[:-2]
        client.status = int(first.split()[1])
        client.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        reading = asyncio.create_task(_read(reader, client))
        yield client
    finally:
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        writer.close()


def request(headers: Mapping[str, str], query: str = "") -> bytes:
    lines = [f"GET {PATH}{query and '?'}{query} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _read(reader: asyncio.StreamReader, client: Client) -> None:
    try:
        if "content-length" in client.headers:
            client.take(await reader.readexactly(int(client.headers["content-length"])))
        else:
            while size := int(await reader.readline() or b"0", 16):
                client.take((await reader.readexactly(size + 2))[:-2])
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # the server is gone
    finally:
        client.over()
