"""Where an export puts what is not yet done: a folder that goes with the process that made it, however that ends.

It is removed by its own process; where that was killed, by the serving process that started it; and where that died,
too, by the next one that starts. A folder that is still used is known by a lock on it, which the kernel takes from a
process that dies.
"""

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "ticket-home-export-"
_making = threading.Lock()
_made: list[Path] = []
"""By this process."""


class NoRoom(Exception):
    """A file could not be written: the disk is full, or not to be written to, or not there."""

    def __init__(self, number: int | None) -> None:
        super().__init__()
        self.number = number
        """errno"""


@contextmanager
def on_disk() -> Iterator[None]:
    """What goes wrong within goes wrong at the disk, and not at the database. Raises NoRoom."""
    try:
        yield
    except BrokenPipeError:
        raise  # nobody reads any more
    except OSError as error:
        raise NoRoom(error.errno) from error


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for this user alone, until the block ends. Raises NoRoom."""
    with on_disk(), _making:
        folder, lock = _locked()
        _made.append(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def abandon() -> None:
    """Remove what this process has on disk, while another of its threads goes on writing there; it makes no more."""
    _making.acquire()
    for folder in _made:
        while folder.exists():
            shutil.rmtree(folder, ignore_errors=True)


def temporary_folder() -> Path:
    """TMPDIR, where one is named: Python would take another where that is full or missing, and nobody would know."""
    return Path(os.environ.get("TMPDIR") or tempfile.gettempdir())


def sweep() -> int:
    """Remove the folders of this user whose processes are gone; gives how many."""
    removed = 0
    for folder in temporary_folder().glob(f"{PREFIX}*"):
        with suppress(OSError):
            removed += _swept(folder)
    return removed


def _swept(folder: Path) -> bool:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: somebody's
        shutil.rmtree(folder, ignore_errors=True)
        return True
    finally:
        os.close(lock)


def _locked() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=temporary_folder()))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)  # somebody swept it before it was locked
