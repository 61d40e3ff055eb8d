"""What the master takes for a worker that hangs, where the worker's own thread does not wake any more."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from api.server.watchdog import LOOKS, Pulse, waits
from tests.support.machine import wait_until


@contextmanager
def process(does: str) -> Iterator[int]:
    with subprocess.Popen(["nice", sys.executable, "-I", "-S", "-c", does]) as started:
        try:
            yield started.pid
        finally:
            started.kill()


def looks(pid: int) -> list[int]:
    pulse = Pulse(multiprocessing)
    pulse.beat()
    return [pulse.looks_without(pid) for _ in range(LOOKS + 1)]


def test_who_waits_hangs_and_who_was_stopped_does_not() -> None:
    with process("import time; time.sleep(3600)") as pid:
        wait_until(lambda: looks(pid) == [*range(LOOKS + 1)])  # it waits now and then while it starts, too
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: not waits(pid))
        assert set(looks(pid)) == {0}


def test_who_would_run_and_gets_no_processor_does_not_hang() -> None:
    with process("while True: pass") as pid:
        wait_until(lambda: set(looks(pid)) == {0})


def test_who_is_starting_does_not_hang() -> None:
    with process("import time; time.sleep(3600)") as pid:
        pulse = Pulse(multiprocessing)
        assert [pulse.looks_without(pid) for _ in range(LOOKS + 1)] == [0] * (LOOKS + 1)
