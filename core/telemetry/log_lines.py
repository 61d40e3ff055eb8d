"""Lines on standard output, whole: at once, or in a process that serves from a thread, so that no request waits for
whoever reads the log.

`write_line(line)` is all that others call.
"""

import os
import select
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from stat import S_ISREG

LONGEST = 4096
"""Bytes of one write (PIPE_BUF). Several workers share one pipe, where a longer one can be torn by another's (pipe(7)).
A line over that is written by itself. Into a file a write is whole however long it is (write(2))."""
BOUND = 16_384
"""Lines that wait for the thread. Where its reader has stopped reading, those beyond are dropped and counted."""
GATHER = 0.01
"""Seconds for which the thread gathers lines: a write for each would cost as much as the request that it tells of."""


class LineWriter:
    """Written at once, to what `sys.stdout` is just then, but for the time between `start` and `close`."""

    def __init__(self) -> None:
        self.are_json = False
        """Whether this process's lines are objects for machines (`log.py`); if not, they are laid out for eyes."""
        self._lines: list[bytes] = []
        """What waits for the thread. One list for good: whoever writes may hold it while the thread takes from it."""
        self._woken = threading.Event()
        self._sleeps = False
        """The thread waits for `_woken`: there are no lines."""
        self._is_closing = False
        self._thread: threading.Thread | None = None
        self._refused = 0
        self._failed = 0

    @property
    def dropped(self) -> int:
        """Lines that were not written: nobody read, or nobody can any more."""
        return self._refused + self._failed

    def write(self, line: bytes) -> None:
        """Write a line, its end included. With the thread nothing here waits, and nothing is raised."""
        if self._thread is None:
            sys.stdout.write(line.decode())
            sys.stdout.flush()
        elif len(self._lines) < BOUND:
            self._lines.append(line)
            if self._sleeps:
                self._sleeps = False
                self._woken.set()
        else:
            self._refused += 1

    def start(self, descriptor: int) -> None:
        """From now on a thread writes, to `descriptor`."""
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, args=(descriptor,), daemon=True, name="log lines")
        self._thread.start()

    def close(self, within: float) -> None:
        """Wait until what was given to the thread is written, `within` seconds at most."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._is_closing = True
            self._woken.set()
            thread.join(within)

    def _run(self, descriptor: int) -> None:
        is_file = S_ISREG(os.fstat(descriptor).st_mode)
        while self._lines or not self._is_closing:
            self._sleep()
            time.sleep(GATHER)
            lines = self._lines[:]
            del self._lines[: len(lines)]
            for whole in [b"".join(lines)] if is_file else in_writes(lines):
                self._put_out(descriptor, whole)

    def _sleep(self) -> None:
        """Until there is a line, or none will come. `_sleeps` is said before that is looked at, so that nothing comes
        unnoticed in between."""
        self._woken.clear()
        self._sleeps = True
        if not (self._lines or self._is_closing):
            self._woken.wait()
        self._sleeps = False

    def _put_out(self, descriptor: int, lines: bytes) -> None:
        left = memoryview(lines)
        try:
            while left:
                try:
                    left = left[os.write(descriptor, left) :]
                except BlockingIOError:  # a pipe that somebody else told not to wait
                    select.select([], [descriptor], [])
        except OSError:
            self._failed += bytes(left).count(b"\n")


def in_writes(lines: Sequence[bytes]) -> Iterator[bytes]:
    """The lines, as few times LONGEST bytes as they can be written in whole."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        if held and size + len(line) > LONGEST:
            yield b"".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if size:
        yield b"".join(held)


LINES = LineWriter()
"""This process's."""
write_line = LINES.write
