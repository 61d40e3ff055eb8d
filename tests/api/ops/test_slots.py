import multiprocessing
import os
import signal
from multiprocessing.connection import Connection

import pytest

from api.ops.slots import CAPACITY, SLOTS, Slots


def another(slots: Slots, pipe: Connection) -> None:
    """A worker: tells what it found, publishes what it is sent, and lives until it is killed."""
    pipe.send(slots.claim())
    while True:
        slots.publish(pipe.recv())
        pipe.send(slots.own)


class Worker:
    def __init__(self, slots: Slots) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, given = spawn.Pipe()
        self.process = spawn.Process(target=another, args=(slots, given), daemon=True)
        self.process.start()
        self.found = self._pipe.recv()

    def publish(self, figures: bytes) -> int:
        self._pipe.send(figures)
        slot: int = self._pipe.recv()
        return slot

    def kill(self) -> None:
        pid = self.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.process.join()


def test_each_worker_has_a_slot_and_the_next_one_finds_what_a_killed_one_left() -> None:
    slots = Slots(2)
    first, second = Worker(slots), Worker(slots)
    assert (first.found, second.found) == (b"", b"")
    assert (first.publish(b"one"), second.publish(b"two")) == (0, 1)
    assert slots.read() == [(0, b"one", True), (1, b"two", True)]
    first.kill()
    assert slots.read() == [(0, b"one", False), (1, b"two", True)]
    third = Worker(slots)
    assert third.found == b"one"
    assert third.publish(b"three") == 0
    assert slots.read() == [(0, b"three", True), (1, b"two", True)]
    second.kill()
    third.kill()


def test_a_worker_killed_while_it_writes_leaves_what_it_wrote_before() -> None:
    slots = Slots(1)
    slots.claim()
    slots.publish(b"first")
    slots.publish(b"second")
    # All that a write does but its last step: the other copy is there in part.
    start = slots._memory.find(b"first")
    slots._memory[start : start + 3] = b"thi"
    assert slots.read() == [(0, b"second", True)]


def test_figures_that_do_not_fit_are_refused_and_the_ones_before_stay() -> None:
    slots = Slots(1)
    slots.claim()
    slots.publish(b"x" * CAPACITY)
    with pytest.raises(ValueError, match="room for"):
        slots.publish(b"y" * (CAPACITY + 1))
    assert slots.read() == [(0, b"x" * CAPACITY, True)]


def test_there_are_slots_for_more_workers_than_were_asked_for() -> None:
    assert Slots(1)._count == SLOTS
    assert Slots(100)._count == 400
