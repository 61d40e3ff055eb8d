"""The consistency check, in its short form, and its checker. Whether it would notice: test_broken_caches.py."""

import math
from pathlib import Path

import pytest

from tests.faults.chaos.checker import BOUND, check, told
from tests.faults.chaos.faults import KINDS
from tests.faults.chaos.history import Event, History, Read, Restore, Write
from tests.faults.chaos.run import Chaos
from tests.faults.chaos.site import site

SEED = 20261124
SECONDS = 30.0
SLOWEST_FILL = 0.02
QUICK = [name for name in KINDS if "stopped" not in name]
"""The longest of them have tests of their own."""


@pytest.mark.long
async def test_no_read_contradicts_the_database_whatever_fails(tmp_path: Path) -> None:
    async with site(tmp_path, processes=2, clinics=3, slowest_fill=SLOWEST_FILL) as made:
        verdict = await Chaos(made, SEED, QUICK).run(SECONDS)
    assert not verdict.violations, told(verdict)
    assert verdict.reads > 1000
    for fault, errors in verdict.errors.items():
        # Trouble with Redis alone reaches nobody.
        assert not fault.startswith("Redis") or set(errors) <= {"connection"}, told(verdict)


def test_what_has_begun_is_known_before_its_end() -> None:
    history = History()
    with history.begun(Write(1, "a", 10.0, math.inf, "unknown", "")):
        history.add(read("a", 10.05, 10.06))
        history.add(read("first", 10.07, 10.08))
        assert check(history.events, {1: "first"}).violations == []
        history.add(Write(1, "a", 10.0, 10.1, "done", ""))
    history.add(read("first", 20.0, 20.1))
    assert len(check(history.events, {1: "first"}).violations) == 1
    with history.begun(Restore(30.0, math.inf)):
        history.add(read("first", 33.0, 33.1))
        history.add(read("a", 33.0, 33.1))
        assert len(check(history.events, {1: "first"}).violations) == 1


def test_a_write_whose_end_nobody_saw_stays_in_the_history() -> None:
    history = History()
    with pytest.raises(ConnectionError), history.begun(Write(1, "a", 10.0, math.inf, "unknown", "")):
        raise ConnectionError
    assert check([*history.events, read("a", 60.0, 60.1)], {1: "first"}).violations == []


def read(
    word: str | None, sent: float, ended: float, kind: str = "plain", outcome: str = "hit", age: float = 0
) -> Read:
    return Read(1, word, sent, ended, kind, 0, outcome, age)


HISTORY: list[Event] = [
    Write(1, "a", 10.0, 10.1, "done", ""),
    Write(1, "b", 20.0, 20.1, "done", ""),
    Write(1, "lost", 25.0, 25.1, "unknown", ""),
    Write(1, "never", 26.0, 26.1, "rolled back", ""),
    Write(1, "c", 30.0, 30.1, "done", ""),
    Restore(40.0, 41.0),
    Write(1, "d", 50.0, 50.1, "done", ""),
]


@pytest.mark.parametrize(
    "right",
    [
        read("first", 1.0, 1.1),
        read("first", 10.05, 10.06),  # the write is under way: either is right
        read("a", 10.05, 10.06),
        read("a", 20.1 + BOUND, 23.0),
        read("a", 20.1, 23.0, "own"),
        read("b", 26.0, 26.1),
        read("lost", 26.0, 26.1),
        read("first", 40.5, 40.6),
        read("c", 40.5, 40.6),
        read("a", 24.0, 24.1, outcome="stale", age=4),
        read(None, 24.0, 24.1, outcome="503"),
    ],
)
def test_what_can_be_is_right(right: Read) -> None:
    assert check([*HISTORY, right], {1: "first"}).violations == []


@pytest.mark.parametrize(
    "wrong",
    [
        read("first", 10.2 + BOUND, 12.3),
        read("a", 9.0, 9.9),  # from the future
        read("a", 20.11, 20.2, "own"),
        read("a", 20.11, 20.2, "required"),
        read("never", 26.2, 26.3),
        read("nobody wrote it", 26.2, 26.3),
        read("lost", 60.0, 60.1),
        read("c", 41.1 + BOUND, 43.2),  # of the lost timeline
        read("first", 50.2, 50.3, "own"),
        read("a", 34.0, 34.1, outcome="stale", age=2),
        read(None, 24.0, 24.1, outcome="500"),
        read(None, 24.0, 39.1, outcome="timeout"),
    ],
)
def test_what_cannot_be_is_told(wrong: Read) -> None:
    assert len(check([*HISTORY, wrong], {1: "first"}).violations) == 1
