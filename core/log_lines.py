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
from queue import Empty, SimpleQueue

LONGEST = 4096
"""Bytes of one write (PIPE_BUF). Several workers share one pipe, where a longer one can be torn by another's (pipe(7)).
A line over that is written by itself."""
BOUND = 16_384
"""Lines that wait for the thread. Where its reader has stopped reading, those beyond are dropped and counted."""
GATHER = 0.01
"""Seconds for which the thread gathers lines: a write for each would cost as much as the request that it tells of."""
LAST = b""
"""In place of a line: there comes no other."""


class LineWriter:
    """Written at once, to what `sys.stdout` is just then, but for the time between `start` and `close`."""

    def __init__(self) -> None:
        self.are_json = False
        """Whether this process's lines are objects for machines (core/log.py); if not, they are laid out for eyes."""
        self._lines: SimpleQueue[bytes] = SimpleQueue()
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
        elif self._lines.qsize() < BOUND:
            self._lines.put(line)
        else:
            self._refused += 1

    def start(self, descriptor: int) -> None:
        """From now on a thread writes, to `descriptor`."""
        self._thread = threading.Thread(target=self._run, args=(descriptor,), daemon=True, name="log lines")
        self._thread.start()

    def close(self, within: float) -> None:
        """Wait until what was given to the thread is written, `within` seconds at most."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._lines.put(LAST)
            thread.join(within)

    def _run(self, descriptor: int) -> None:
        lines: list[bytes] = []
        while LAST not in lines:
            lines = [self._lines.get()]
            time.sleep(GATHER)
            try:
                while True:
                    lines.append(self._lines.get_nowait())
            except Empty:
                pass
            for whole in in_writes(lines):
                self._put_out(descriptor, whole)

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
