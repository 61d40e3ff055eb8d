"""What lies between a process and its servers: a toxic network, and names that lead to addresses.

A process looks names that end in `.chaos` up in a file of its own (`named`), so that they change while it runs.
"""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy.engine import make_url

from tests.faults.chaos.network.toxic import ADDRESS, Toxic

NOWHERE = "127.0.0.9"
"""An address where nothing listens."""
POSTGRES, LISTENER, REDIS = "postgres", "listener", "redis"
"""Servers, as a process knows them: its listening connection may fail apart from all others."""
DOMAIN = ".chaos"
FOLDER = "CHAOS_NAMES"
"""Of the environment: where a process looks names up."""


class Network:
    """What lies between one process and its servers. Use `open` before it starts, `close` after its end."""

    def __init__(self, folder: Path, postgres: Path, redis: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.between = {POSTGRES: Toxic(postgres), LISTENER: Toxic(postgres), REDIS: Toxic(redis)}
        self._opened = AsyncExitStack()
        for server in self.between:
            self.lead(server, ADDRESS)

    async def open(self) -> None:
        for toxic in self.between.values():
            await self._opened.enter_async_context(toxic)

    async def close(self) -> None:
        await self._opened.aclose()

    @property
    def environment(self) -> Mapping[str, str]:
        return {FOLDER: str(self._folder)}

    def lead(self, server: str, address: str) -> None:
        """The server's name is looked up as that address from now on."""
        being_written = self._folder / "new"
        being_written.write_text(address)
        being_written.rename(self._folder / f"{server}{DOMAIN}")

    def mend(self, server: str) -> None:
        self.lead(server, ADDRESS)
        self.between[server].mend()

    def database_url(self, direct: str, server: str) -> str:
        url = make_url(direct).set(host=f"{server}{DOMAIN}", port=self.between[server].port)
        return url.set(query={"sslmode": "disable"}).render_as_string(hide_password=False)

    @property
    def redis_url(self) -> str:
        return f"redis://{REDIS}{DOMAIN}:{self.between[REDIS].port}/0"


class NamedLoop(uvloop.Loop):
    """A serving process's event loop, for which names change their addresses."""

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **more: Any) -> Any:
        return await super().create_connection(protocol_factory, named(host), port, **more)


def named(host: str | None) -> str | None:
    """The address that the name leads to now, by its file; a host that is no such name is itself."""
    if host is None or not host.endswith(DOMAIN):
        return host
    return (Path(os.environ[FOLDER]) / host).read_text()


def loop() -> asyncio.AbstractEventLoop:
    """For uvicorn: `--loop tests.faults.chaos.network.network:loop`."""
    return NamedLoop()
