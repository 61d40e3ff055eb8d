"""How late the event loop is: the longest that anything held it up in the last seconds."""

from typing import Final

WINDOW: Final = 15.0
"""Seconds, as long as a scrape's interval usually is: `longest` is of the last one or two."""


class LoopLag:
    def __init__(self) -> None:
        self._since = float("-inf")
        self._now = self._before = 0.0

    def late(self, seconds: float, at: float) -> None:
        """Note that at `at` (monotonic seconds) the loop did what had been due `seconds` earlier."""
        if at - self._since >= WINDOW:
            self._before = self._now if at - self._since < 2 * WINDOW else 0.0
            self._since, self._now = at, 0.0
        self._now = max(self._now, seconds)

    def longest(self) -> float:
        """Seconds that the loop was late at most, in the last one or two windows."""
        return max(self._now, self._before)


LOOP_LAG = LoopLag()
"""Of this process's loop. Measured where it is watched (api/server/watchdog.py); 0 where nobody does."""
