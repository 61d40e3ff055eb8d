"""Seconds on a machine that is not ours: a process beside the tests measures how slow and how late this one is.

Whoever asserts that something ends within some seconds takes `began = now()` and asks `bound(seconds, began)`; whoever
waits for what must come sooner or later takes `until`, which asserts no time at all.
"""

import asyncio
import atexit
import mmap
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from tests.support import meter

T = TypeVar("T")

CALM = 0.00075
"""Seconds that one probe's work takes on a machine that has nothing else to do, at most."""
LOOK = 0.005
"""Seconds between two looks at what tells nobody when it changes."""
PATIENCE = 60.0
"""Seconds after which what has not come is taken for never: no bound of anything."""


class Machine:
    def __init__(self) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="machine-")  # noqa: SIM115  as long as this process
        self._file.truncate(meter.SIZE)
        self._seen = mmap.mmap(self._file.fileno(), meter.SIZE)
        self._process = subprocess.Popen([sys.executable, "-I", "-S", Path(meter.__file__), self._file.name])
        atexit.register(self.end)
        while not self._count:
            assert self._process.poll() is None
            time.sleep(LOOK)  # until the first probe

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def _count(self) -> int:
        return int(meter.COUNT.unpack_from(self._seen)[0])

    def _since(self, began: float) -> list[tuple[float, float, float]]:
        """The probes that ended after `began`, the newest first; one at least."""
        last = self._count - 1
        found = [meter.PROBE.unpack_from(self._seen, meter.place(last))]
        for number in range(last - 1, max(last - meter.KEPT, -1), -1):
            probe = meter.PROBE.unpack_from(self._seen, meter.place(number))
            if probe[0] < began:
                break
            found.append(probe)
        return found

    def widened(self, seconds: float, began: float) -> float:
        """By how much slower than calm it has been since `began` on average, and by the longest that it was late."""
        probes = self._since(began)
        slower = sum(worked for _, _, worked in probes) / len(probes) / CALM
        overdue = time.monotonic() - probes[0][0] - meter.PERIOD
        late = max(overdue, *(late + worked for _, late, worked in probes))
        return seconds * max(1.0, slower) + late


@cache
def _machine() -> Machine:
    return Machine()


def now() -> float:
    """Seconds of the monotonic clock; from now on the machine is measured."""
    _machine()
    return time.monotonic()


def bound(seconds: float, began: float) -> float:
    """How long that which takes `seconds` at most on a calm machine may have taken here, since `began`."""
    return _machine().widened(seconds, began)


async def until_equal(read: Callable[[], Awaitable[T]], expected: T, within: float) -> float:
    """Seconds until `expected` is what is read; fails with what was read instead, `within` being of a calm machine."""
    began = now()
    while True:
        asked = now()
        found = await read()
        if found == expected:
            return time.monotonic() - began
        late = asked - began
        assert late < bound(within, began), f"{found} instead of {expected}, {late:.2f} s later"
        await asyncio.sleep(LOOK)


Condition = Callable[[], object] | Callable[[], Awaitable[object]]


async def until(condition: Condition, within: float | None = None) -> float:
    """Seconds until the condition holds. `within`: of a calm machine; by itself only what never comes fails."""
    began = now()
    while True:
        asked = now()
        found = condition()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return time.monotonic() - began
        _assert_early(asked, began, within)
        await asyncio.sleep(LOOK)


async def first(read: Callable[[], Awaitable[T | None]]) -> T:
    """The first that is read and is not None; only what never comes fails."""
    began = now()
    while True:
        asked = now()
        found = await read()
        if found is not None:
            return found
        _assert_early(asked, began, None)
        await asyncio.sleep(LOOK)


def wait_until(condition: Callable[[], object], within: float | None = None) -> float:
    """As `until`, and nothing of this process goes on meanwhile."""
    began = now()
    while True:
        asked = now()
        if condition():
            return time.monotonic() - began
        _assert_early(asked, began, within)
        time.sleep(LOOK)


def _assert_early(asked: float, began: float, within: float | None) -> None:
    limit = PATIENCE if within is None else bound(within, began)
    assert asked - began < limit, f"not within {limit:.1f} s"
