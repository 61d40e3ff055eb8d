import json
import logging

import pytest
import structlog

from core.telemetry import log
from core.telemetry.log import FIRST, MINUTE, RateLimit, configure, logger, warn_seldom


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_repeats_itself_is_written_a_few_times_a_minute_with_the_number_of_lines_left_out() -> None:
    clock = Clock()
    limit = RateLimit(clock=clock)

    def line() -> dict[str, object] | None:
        try:
            return dict(limit(None, "warning", {"event": "redis trouble"}))
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
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events.count("request") == 5 * FIRST
    assert events.count("one kind") == events.count("another kind") == FIRST
    assert len([event for event in events if event.startswith("it lost")]) == FIRST


def test_events_that_are_never_the_same_take_no_memory_without_end() -> None:
    limit = RateLimit()
    for number in range(10_000):
        limit.count(f"lost {number}")
    assert len(limit._minutes) <= 1000


def test_what_clients_bring_about_is_one_line_a_minute_of_each_kind(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(log, "_once_a_minute", RateLimit(most=1, clock=clock))
    configure("json")
    for _ in range(5):
        warn_seldom("refused", "too slow", code="too slow")
        warn_seldom("refused", "too large", code="too large")
    clock.now = MINUTE
    warn_seldom("refused", "too slow", code="too slow")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["code"], line["times"]) for line in lines] == [("too slow", 1), ("too large", 1), ("too slow", 5)]
