"""Servers under test: each alone on the first core; all else has the others."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.servers.cores import Cores
from bench.servers.install import ROOT

PATIENCE = 90.0
TMPFS = Path("/dev/shm")  # noqa: S108  logs go to memory: a disk's fsyncs are nobody's speed here


@dataclass(frozen=True)
class Up:
    """A server that answers."""

    port: int
    process: int


def folder() -> "tempfile.TemporaryDirectory[str]":
    """A temporary folder for what is written at every request, in memory where the machine has such a place."""
    return tempfile.TemporaryDirectory(dir=TMPFS if TMPFS.is_dir() else None)


def ticket_home(port: int, *, workers: int = 1) -> list[str]:
    """Our own server's command."""
    command = str(Path(sys.executable).with_name("ticket-home"))
    return [command, "serve", "--workers", str(workers), "--port", str(port)]


def python_module(*words: str) -> list[str]:
    """A module of this checkout as a program, in the service's own environment."""
    return [sys.executable, "-m", *words]


def uvicorn(python: Path, name: str, port: int) -> list[str]:
    """A peer of bench/servers/peers.py, served as ours is, which has no access log of uvicorn's either."""
    return [
        *(str(python), "-m", "uvicorn", "--factory", f"bench.servers.peers:{name}", "--loop", "uvloop"),
        *("--http", "httptools", "--lifespan", "on", "--no-access-log", "--no-server-header"),
        *("--log-level", "warning", "--port", str(port)),
    ]


@contextmanager
def serving(
    cores: Cores | None, command: Callable[[int], Sequence[str]], environment: Mapping[str, str], log: Path
) -> Iterator[Up]:
    """What `command` gives for a port, once it answers there; on the server's core, where there are `cores`.

    Raises RuntimeError with its log where it does not answer."""
    port = free_port()
    pinned = nullcontext() if cores is None else cores.for_server()
    with log.open("wb") as output, pinned:
        server = subprocess.Popen(
            command(port), cwd=ROOT, env=os.environ | dict(environment), stdout=output, stderr=output
        )
    try:
        until = time.monotonic() + PATIENCE
        while not answers(port):
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command(port))} does not answer:\n{log.read_text()[-4000:]}")
            time.sleep(0.05)
        yield Up(port, server.pid)
    finally:
        server.terminate()
        server.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether anything speaks HTTP there, whatever it says."""
    try:
        httpx.get(f"http://127.0.0.1:{port}/livez", timeout=5)
    except httpx.TransportError:
        return False
    return True
