"""The longest that something took lately, for a figure that is looked at every quarter of a minute."""

from typing import Final

WINDOW: Final = 15.0
"""Seconds, as long as a scrape's interval usually is: `longest` is of the last one or two."""


class Longest:
    """The longest of what was noted within the last WINDOW seconds or so, in constant memory."""

    def __init__(self) -> None:
        self._since = float("-inf")
        self._now = self._before = 0.0

    def note(self, seconds: float, at: float) -> None:
        """Note what took `seconds` and ended `at` (seconds of one monotonic clock)."""
        if at - self._since >= WINDOW:
            self._before = self._now if at - self._since < 2 * WINDOW else 0.0
            self._since, self._now = at, 0.0
        self._now = max(self._now, seconds)

    def longest(self) -> float:
        """Seconds, in the last one or two windows that anything was noted in."""
        return max(self._now, self._before)
