"""Bounds that the machine widens: as they are where it is calm, wider where it is slow or late."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.support import machine, meter


@pytest.fixture
def made() -> Iterator[machine.Machine]:
    measured = machine.Machine()
    yield measured
    measured.end()


def put(made: machine.Machine, *probes: tuple[float, float]) -> float:
    """These (late, worked) as all that was measured since the moment returned; the measuring itself has ended."""
    made.end()
    began = time.monotonic()
    for number, (late, worked) in enumerate(probes):
        meter.PROBE.pack_into(made._seen, meter.place(number), time.monotonic(), late, worked)
    meter.COUNT.pack_into(made._seen, 0, len(probes))
    return began


def test_a_calm_machine_widens_by_next_to_nothing(made: machine.Machine) -> None:
    began = put(made, *[(0.0001, machine.CALM / 2)] * 50)
    assert 2.0 <= made.widened(2.0, began) < 2.1


def test_one_that_is_three_times_as_slow_has_three_times_the_time(made: machine.Machine) -> None:
    began = put(made, *[(0.0, 2 * machine.CALM), (0.0, 4 * machine.CALM)] * 20)
    assert 6.0 <= made.widened(2.0, began) < 6.1


def test_one_that_was_late_once_has_that_on_top(made: machine.Machine) -> None:
    began = put(made, *[(0.0, machine.CALM / 2)] * 20, (0.7, machine.CALM / 2))
    assert 2.7 <= made.widened(2.0, began) < 2.8


def test_what_was_before_does_not_count(made: machine.Machine) -> None:
    put(made, (9.0, 1.0))
    began = time.monotonic()
    meter.PROBE.pack_into(made._seen, meter.place(1), time.monotonic(), 0.0, machine.CALM / 2)
    meter.COUNT.pack_into(made._seen, 0, 2)
    assert made.widened(2.0, began) < 2.1


def test_a_measuring_process_that_does_not_get_a_turn_is_late_itself(made: machine.Machine) -> None:
    os.kill(made._process.pid, signal.SIGSTOP)
    began = time.monotonic()
    # The measuring process stands still as long.
    time.sleep(0.3)
    assert made.widened(2.0, began) > 2.2


async def test_what_never_comes_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PATIENCE", 0.05)
    with pytest.raises(AssertionError, match="not within"):
        await machine.until(lambda: False)
    with pytest.raises(AssertionError, match="not within"):
        await machine.until(lambda: False, within=0.05)
    assert await machine.until(lambda: True, within=0.05) < 1
