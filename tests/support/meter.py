"""The process that measures this machine for tests/support/machine.py: sleeps a little, works a little, and says when.

    python -I -S meter.py FILE

FILE is an array of doubles that both map: how many probes there were, then a ring of (end, late, worked) in seconds.
It ends with its parent.
"""

import mmap
import os
import struct
import sys
import time

PERIOD = 0.025
"""Seconds between two probes."""
KEPT = 8192
"""Probes: more than three minutes."""
PROBE = struct.Struct("ddd")
COUNT = struct.Struct("d")
SIZE = COUNT.size + KEPT * PROBE.size
WORK = range(50_000)


def place(number: int) -> int:
    """Where in the file the probe of that number lies."""
    return COUNT.size + number % KEPT * PROBE.size


def measure(seen: mmap.mmap) -> None:
    parent, number = os.getppid(), 0
    while os.getppid() == parent:
        due = time.monotonic() + PERIOD
        time.sleep(PERIOD)
        woke = time.monotonic()
        sum(WORK)
        ended = time.monotonic()
        PROBE.pack_into(seen, place(number), ended, woke - due, ended - woke)
        number += 1
        COUNT.pack_into(seen, 0, number)


if __name__ == "__main__":
    with open(sys.argv[1], "r+b") as file:  # noqa: PTH123  without pathlib it starts in a third of the time
        measure(mmap.mmap(file.fileno(), SIZE))
