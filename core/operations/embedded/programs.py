"""The server's program as its supervisor needs to know it, and how it and the programs around it are run."""

import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.operations.embedded.account import ServerAccount, environment


class Failed(Exception):
    """A program of the server's ended with an error; the message is its own."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Runs programs as the server's account; what they say goes to its log."""

    account: ServerAccount
    log: IO[bytes]

    def make_folder(self, path: Path) -> None:
        """Make a folder that only the server's account can read. Raises OSError."""
        path.mkdir(mode=0o700)
        self.account.own(path)

    def run(self, program: Path, *arguments: str) -> None:
        """Raises Failed."""
        done = subprocess.run(  # noqa: S603  our wheel's program, our arguments
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd="/",
            preexec_fn=self.account.enter,
            check=False,
        )
        if done.returncode != 0:
            raise Failed(f"{program.name}: {done.stderr.decode(errors='replace').strip() or done.returncode}")

    def start(self, argv: Sequence[str], inherited: Sequence[int]) -> "subprocess.Popen[bytes]":
        """A server, in a session of its own: the terminal's Ctrl-C is not meant for it. It keeps `inherited` open."""
        return subprocess.Popen(  # noqa: S603
            argv,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env=environment(),
            cwd="/",
            pass_fds=tuple(inherited),
            start_new_session=True,
            preexec_fn=self.account.enter,
        )


@dataclass(frozen=True, slots=True)
class ServerProgram:
    """How a server is prepared, started and ended."""

    argv: Sequence[str]
    url: str
    reads: Sequence[Path]
    """What its account must be able to read."""
    ending: Sequence[signal.Signals]
    """Signals that end it, the gentlest first; SIGKILL follows."""
    prepare: Callable[[Programs], None]
    ready: Callable[[], bool]
    finish: Callable[[Programs], None]
    """Run once it is ready, before whoever started it is answered."""
