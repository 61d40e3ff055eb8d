import json
import logging

import pytest
import structlog

from core.log import FIRST, MINUTE, Seldom, configure, logger


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_repeats_itself_is_written_a_few_times_a_minute_with_the_number_of_lines_left_out() -> None:
    clock = Clock()
    seldom = Seldom(clock)

    def line() -> dict[str, object] | None:
        try:
            return dict(seldom(None, "warning", {"event": "redis trouble"}))
        except structlog.DropEvent:
            return None

    assert [line() is not None for _ in range(1000)] == [True] * FIRST + [False] * (1000 - FIRST)
    clock.now = MINUTE
    assert line() == {"event": "redis trouble", "unsaid": 1000 - FIRST}
    assert line() == {"event": "redis trouble"}
    clock.now = 2 * MINUTE
    assert line() == {"event": "redis trouble"}


def test_events_are_counted_apart_and_requests_never_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    for number in range(5 * FIRST):
        logger.info("request", number=number)
        logger.warning("one kind", number=number)
        logger.error("another kind", number=number)
        logging.getLogger("a library").warning("it lost %s", number)
    told = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert told.count("request") == 5 * FIRST
    assert told.count("one kind") == told.count("another kind") == FIRST
    assert len([event for event in told if event.startswith("it lost")]) == FIRST


def test_events_that_are_never_the_same_take_no_memory_without_end() -> None:
    seldom = Seldom()
    for number in range(10_000):
        seldom.count(f"lost {number}")
    assert len(seldom._told) <= 1000
