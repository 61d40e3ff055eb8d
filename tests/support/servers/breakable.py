"""A server that a test kills, stops and starts again at the same address."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import redis.asyncio as redis_client

from core.operations.embedded import Running, start_servers

Away = Callable[["Breakable"], AbstractAsyncContextManager[None]]
"""In what way it is away: Breakable.killed or Breakable.hung."""
Act = Callable[["Breakable"], Awaitable[object]]
"""What is done to a server: its methods, and what redis_trouble.py has."""


class Breakable:
    """Durable, where it is PostgreSQL: what was committed before a kill is there after it."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder = folder
        self._kind = kind
        self.running = self._start()
        self.kept: redis_client.Redis | None = None
        """A connection that a test holds on to while nobody else can make one."""

    @property
    def url(self) -> str:
        return self.running.url

    def _start(self) -> Running:
        is_postgres = self._kind == "postgres"
        started = start_servers(self._folder, durable=is_postgres, postgres=is_postgres, valkey=not is_postgres)
        running = started.postgres if is_postgres else started.valkey
        assert running is not None
        return running

    async def kill(self) -> None:
        os.kill(self.running.pid, signal.SIGKILL)
        await asyncio.to_thread(self.running.stop)

    async def start(self) -> None:
        """Again, in a thread: the requests under way go on."""
        before = self.url
        self.running = await asyncio.to_thread(self._start)
        assert self.url == before

    async def hang(self) -> None:
        self._signal_all(signal.SIGSTOP)

    async def go_on(self) -> None:
        self._signal_all(signal.SIGCONT)

    @asynccontextmanager
    async def killed(self) -> AsyncIterator[None]:
        """Within, it is away, and its address refuses connections; then it is there again."""
        await self.kill()
        try:
            yield
        finally:
            await self.start()

    @asynccontextmanager
    async def hung(self) -> AsyncIterator[None]:
        """Within, it stands still: connections are made and stay, and nothing is answered. Then it goes on."""
        await self.hang()
        try:
            yield
        finally:
            await self.go_on()

    def _signal_all(self, sent: signal.Signals) -> None:
        """The server and its children: PostgreSQL has one per connection."""
        pid = self.running.pid
        os.kill(pid, sent)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), sent)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._signal_all(signal.SIGCONT)
        self.running.stop()


async def command(url: str, *words: str, password: str | None = None) -> object:
    """One command to Redis, as an administrator sends it."""
    client = redis_client.Redis.from_url(url, password=password)
    try:
        return await client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis leaves it so
    finally:
        await client.aclose()
