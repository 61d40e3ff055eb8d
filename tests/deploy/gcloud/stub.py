"""A gcloud that knows no Google: each call is checked by commands.py and carried out on a World.

What is called `gcloud` is a few lines of bash that ask a thread here: a Python for each of a run's hundred calls would
take seconds."""

import os
import signal
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.gcloud.commands import Refused, parsed
from tests.deploy.gcloud.printed import printed
from tests.deploy.gcloud.world import Missing, Taken, World, is_change

CLIENT = r"""#!/bin/bash
exec 3<>"/dev/tcp/127.0.0.1/$STUB_PORT"
given=''
case " $* " in *' - '* | *'=- '*) IFS= read -r -d '' given || : ;; esac
printf '%s\0' "$BASHPID" "$#" "$@" "$given" >&3
IFS= read -r -d '' status <&3 && IFS= read -r -d '' out <&3 && IFS= read -r -d '' err <&3
printf %s "$out"
printf %s "$err" >&2
exit "$status"
"""


class Stub:
    """`stop_after` changes the machine goes away: whoever asked is ended by SIGKILL, with its process group."""

    def __init__(self) -> None:
        self.world = World()
        self.calls: list[list[str]] = []
        self.stop_after: int | None = None
        self.denied = ""
        """A command that this account may not give."""
        self._lock = threading.Lock()

    def answer(self, process: int, arguments: list[str], given: str) -> tuple[int, str, str]:
        """Exit status, standard output and error."""
        with self._lock:
            self.calls.append(arguments)
            try:
                command, plain, flags = parsed(arguments, given)
            except Refused as refused:
                return 2, "", f"ERROR: (gcloud) {refused}\n"
            name = f"ERROR: (gcloud.{command.replace(' ', '.')})"
            if command == self.denied:
                return 1, "", f"{name} PERMISSION_DENIED: this account may not\n"
            try:
                found = self.world.call(command, plain, flags, given)
            except Missing as missing:
                return 1, "", f"{name} NOT_FOUND: {missing}\n"
            except Taken as taken:
                return 1, "", f"{name} ALREADY_EXISTS: {taken}\n"
            if self.stop_after is not None and len(self.world.changes) >= self.stop_after:
                self.stop_after = None
                os.killpg(os.getpgid(process), signal.SIGKILL)
            elif is_change(command):
                self.world.settle()
            if isinstance(found, str):
                return 0, found, ""
            return 0, printed(found, str(flags.get("--format", "")), str(flags.get("--flatten", ""))), ""


@contextmanager
def stubbed(folder: Path) -> Iterator[tuple[Stub, dict[str, str]]]:
    """The stub, and the environment in which `gcloud` is it: nothing is found there but it and what folder/ holds."""
    stub = Stub()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            process, count = int(self._word()), int(self._word())
            arguments = [self._word() for _ in range(count)]
            status, out, err = stub.answer(process, arguments, self._word())
            self.wfile.write(f"{status}\0{out}\0{err}\0".encode())

        def _word(self) -> str:
            found = bytearray()
            while (byte := self.rfile.read(1)) not in (b"\0", b""):
                found += byte
            return found.decode()

    program = folder / "gcloud"
    program.write_text(CLIENT)
    program.chmod(0o755)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stub, {"PATH": str(folder), "STUB_PORT": str(server.server_address[1]), "POLL_SECONDS": "0"}
        finally:
            server.shutdown()
            thread.join()
