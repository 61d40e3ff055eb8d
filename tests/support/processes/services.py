"""`ticket-home serve` as a process of its own, with one worker or several."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from core.settings import Settings
from tests.support import machine
from tests.support.processes import commands
from tests.support.processes.state import command_of

READY_WITHIN = 30.0


@dataclass(frozen=True)
class Serving:
    process: "subprocess.Popen[str]"
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
    return port


@contextmanager
def serving(
    *command: str,
    environment: Mapping[str, str],
    cwd: Path = Path("/"),
    log: Path | None = None,
    port: int | None = None,
    within: float = READY_WITHIN,
) -> Iterator[Serving]:
    """Once it answers, `within` seconds of a calm machine; killed with its process group at the end.

    Under load it needs a `log`: a full pipe stops it."""
    port = port or free_port()
    with nullcontext(subprocess.PIPE) if log is None else log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        _await_answer(process, port, within)
        yield Serving(process, port)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _await_answer(process: "subprocess.Popen[str]", port: int, within: float) -> None:
    def answers() -> bool:
        try:
            assert asking.get("/livez").status_code == 200
        except httpx.TransportError:
            assert process.poll() is None, f"it ended: {process.communicate()[0] or 'see its log'}"
            return False
        return True

    # One client for all tries: to make one takes 20 ms of a processor, which the service would start with.
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=within) as asking:
        machine.wait_until(answers, within=within)


@contextmanager
def workers(settings: Settings, count: int, log: Path, options: Sequence[str] = ()) -> Iterator[Serving]:
    """Once one of them answers, on the test's servers."""
    command = (commands.TICKET_HOME, "serve", "--workers", str(count), *options)
    with serving(*command, environment=commands.environment(settings), log=log) as served:
        yield served


def worker_pids(served: Serving) -> list[int]:
    """Of the processes that serve: the children that uvicorn's master spawned, without Python's resource tracker."""
    pid = served.process.pid
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in children if b"spawn_main" in command_of(child)]
