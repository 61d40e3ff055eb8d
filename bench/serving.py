"""Servers under test: one process each, alone on the first core; all else has the others."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30.0
TICKET_HOME = (str(Path(sys.executable).with_name("ticket-home")), "serve", "--workers", "1", "--port")


def peer(python: Path, name: str) -> tuple[str, ...]:
    """Served as ours is, which has no access log of uvicorn's either."""
    return (
        *(str(python), "-m", "uvicorn", "--factory", f"bench.peers:{name}", "--loop", "uvloop", "--http", "httptools"),
        *("--lifespan", "on", "--no-access-log", "--no-server-header", "--log-level", "warning", "--port"),
    )


class Cores:
    """Made before anything is started, so that what is started keeps away from the first core, too."""

    def __init__(self) -> None:
        # Only Linux can pin.
        self._all = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        self.pinned = len(self._all) > 1
        self._first = {min(self._all)} if self.pinned else set()
        self._keep_off()

    def _keep_off(self) -> None:
        if self.pinned:
            os.sched_setaffinity(0, self._all - self._first)

    @contextmanager
    def for_server(self) -> Iterator[None]:
        """A process that is started here has the first core. Set before its threads are: they inherit it."""
        if self.pinned:
            os.sched_setaffinity(0, self._first)
        try:
            yield
        finally:
            self._keep_off()

    def __str__(self) -> str:
        return f"{len(self._all)} cores, one of them the server's" if self.pinned else "nothing pinned"


@contextmanager
def serving(cores: Cores, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """A port on which `command` (the port comes last) answers. Raises RuntimeError with its log where it does not."""
    port = _free_port()
    with log.open("wb") as output, cores.for_server():
        server = subprocess.Popen(
            [*command, str(port)], cwd=ROOT, env=os.environ | dict(environment), stdout=output, stderr=output
        )
    try:
        until = time.monotonic() + PATIENCE
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command)} does not answer:\n{log.read_text()[-4000:]}")
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/livez", timeout=5)
    except httpx.TransportError:
        return False
    return True
