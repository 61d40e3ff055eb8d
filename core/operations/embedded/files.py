"""The files of one server: all in the data folder but its sockets, whose paths must be short."""

import fcntl
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.operations.embedded.account import ServerAccount

Kind = Literal["postgres", "valkey"]

SOCKET_PARENT = Path("/tmp")  # noqa: S108  the folder made there is private, and its name is not guessable
"""Not TMPDIR: a unix socket's path has about 100 bytes, and macOS's and pytest's temporary folders are long."""


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """Where the files of one embedded server lie: all in the data folder, by its kind."""

    folder: Path
    kind: Kind

    @property
    def data(self) -> Path:
        """The folder of the server's own files."""
        return self.folder / self.kind

    @property
    def log(self) -> Path:
        """What the server and its supervisor said, as text."""
        return self.folder / f"{self.kind}.log"

    @property
    def state(self) -> Path:
        """JSON by which others find a running server: `sockets`, and while it runs `url`, `pid`."""
        return self.folder / f"{self.kind}.json"

    @property
    def lock(self) -> Path:
        """Held (flock) by the supervisor and its server from before the start until both have ended."""
        return self.folder / f"{self.kind}.lock"

    def read_state(self) -> dict[str, Any]:
        """Empty where there is none, or no JSON."""
        try:
            found = json.loads(self.state.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_state(self, account: ServerAccount, **state: Any) -> None:
        """Whole or not at all: others read it at any time."""
        unfinished = self.folder / f"{self.kind}.json.new"
        unfinished.write_text(json.dumps(state))
        unfinished.chmod(0o600)
        account.own(unfinished)
        unfinished.replace(self.state)

    def try_lock(self) -> int | None:
        """A descriptor that holds the lock, or None where another process does."""
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def sockets(self, account: ServerAccount) -> Path:
        """The same folder as last time where that can be, so that a restarted server has the same address."""
        remembered = self.read_state().get("sockets")
        if isinstance(remembered, str) and _private(Path(remembered), account):
            return Path(remembered)
        while True:
            fresh = SOCKET_PARENT / f"ticket-home-{secrets.token_hex(8)}"
            if _private(fresh, account):
                return fresh


def supervisor_socket(sockets: Path) -> Path:
    """The socket by which other processes join the server."""
    return sockets / "supervisor"


def _private(folder: Path, account: ServerAccount) -> bool:
    """Make `folder` for the account alone. False where something else has that name."""
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except FileExistsError:
        found = folder.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and stat.S_IMODE(found.st_mode) == 0o700
    except FileNotFoundError:
        return False
    return True
