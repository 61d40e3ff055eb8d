"""The longest that something took lately, for a figure that is looked at every quarter of a minute."""

from typing import Final

WINDOW: Final = 15.0
"""Seconds, as long as a scrape's interval usually is."""


class Longest:
    """The longest of what was noted within the last one or two windows, in constant memory."""

    def __init__(self, window: float = WINDOW) -> None:
        """`window`: seconds, as long as it takes at most until the next is noted where anything goes on."""
        self._window = max(window, WINDOW)
        self._since = float("-inf")
        self._now = self._before = 0.0

    def note(self, seconds: float, at: float) -> None:
        """Note what took `seconds` and ended `at` (seconds of one monotonic clock)."""
        if at - self._since >= self._window:
            self._before = self._now if at - self._since < 2 * self._window else 0.0
            self._since, self._now = at, 0.0
        self._now = max(self._now, seconds)

    def longest(self, at: float) -> float:
        """Seconds; 0 where nothing was noted for two windows: what is over is not told for ever, because nothing has
        come since. `at`: now, on that clock."""
        since = at - self._since
        if since >= 2 * self._window:
            return 0.0
        return self._now if since >= self._window else max(self._now, self._before)
