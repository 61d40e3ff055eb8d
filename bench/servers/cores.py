"""The server's core and the load's; how busy they were, and what processes used. Linux tells; elsewhere nobody."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter

PROC = Path("/proc")
IS_LINUX = PROC.joinpath("stat").exists() and hasattr(os, "sched_getaffinity")


class Cores:
    """Made before anything is started, so that what is started keeps away from the first core, too."""

    def __init__(self) -> None:
        self._all = os.sched_getaffinity(0) if IS_LINUX else set()
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

    def release(self) -> None:
        """For what is not measured by cores: this process and what it starts may use all of them again."""
        if self.pinned:
            os.sched_setaffinity(0, self._all)

    def __str__(self) -> str:
        return f"{len(self._all)} cores, one of them the server's" if self.pinned else "nothing pinned"


class Busy:
    """How much of the time since this was made this process was at work, or ready and waiting for its core.

    Near 1, it is the load that limits what is measured, or a neighbour on its core.
    """

    def __init__(self) -> None:
        self._started, self._before = perf_counter(), _worked()

    def share(self) -> float:
        """0 to 1; 0 where nobody tells."""
        return (_worked() - self._before) / (perf_counter() - self._started)


def _worked() -> float:
    """Seconds of this thread on a core, and in the queue for it."""
    if not IS_LINUX:
        return 0.0
    ran, waited, _ = PROC.joinpath("thread-self", "schedstat").read_text().split()
    return (int(ran) + int(waited)) / 1e9


def with_children(process: int) -> list[int]:
    """Its id and those of all that it started, directly or not; itself alone where nobody tells."""
    parents = {}
    for stat in PROC.glob("[0-9]*/stat") if IS_LINUX else ():
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def cpu_seconds(process: int) -> float:
    """User and system seconds that the process and all below it have used so far; 0 where nobody tells."""
    ticks = 0
    for one in with_children(process) if IS_LINUX else ():
        try:
            fields = PROC.joinpath(str(one), "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def waited_seconds(process: int) -> float:
    """Seconds that the threads of the process and of all below it were ready, and had no core; 0 where nobody tells."""
    nanoseconds = 0
    for one in with_children(process) if IS_LINUX else ():
        for thread in PROC.glob(f"{one}/task/*/schedstat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                nanoseconds += int(thread.read_text().split()[1])
    return nanoseconds / 1e9


def resident_bytes(process: int) -> int:
    """Of the process and all below it, pages that several share counted once (PSS); 0 where nobody tells."""
    kilobytes = 0
    for one in with_children(process) if IS_LINUX else ():
        try:
            text = PROC.joinpath(str(one), "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        kilobytes += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return kilobytes * 1024
