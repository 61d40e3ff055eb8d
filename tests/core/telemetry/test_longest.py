"""The longest that something took lately."""

import pytest

from core.telemetry.longest import WINDOW, Longest


@pytest.mark.parametrize("window", [WINDOW, 4 * WINDOW])
def test_what_was_long_is_told_for_one_or_two_windows_and_then_over_though_nothing_more_comes(window: float) -> None:
    longest = Longest(window)
    assert longest.longest(5.0) == 0.0
    for seconds, at in ((0.2, 10.0), (3.0, 11.0), (0.1, 12.0)):
        longest.note(seconds, at)
    assert longest.longest(10.0 + 0.99 * window) == 3.0
    assert longest.longest(10.0 + 1.99 * window) == 3.0
    assert longest.longest(10.0 + 2.0 * window) == 0.0


def test_what_comes_later_takes_its_place_after_two_windows() -> None:
    longest = Longest()
    for seconds, at in ((3.0, 0.0), (0.1, WINDOW), (0.2, 2 * WINDOW)):
        longest.note(seconds, at)
        assert longest.longest(at) == (3.0 if at < 2 * WINDOW else 0.2)


def test_a_window_is_never_shorter_than_two_scrapes_need() -> None:
    longest = Longest(0.0)
    longest.note(1.0, 0.0)
    assert longest.longest(WINDOW) == 1.0
