"""The database's clock, as this process knows it: what time alone changes is right or wrong by this clock."""

from core.clock import boottime, wall_now


class DatabaseClock:
    """An offset to a clock that nobody can set (`CLOCK_BOOTTIME`): a machine's wrong wall clock changes no answer."""

    def __init__(self) -> None:
        self._offset: float | None = None
        self._shift = 0.0

    def now(self) -> float:
        """Epoch seconds."""
        return self.at(boottime())

    def at(self, moment: float) -> float:
        """What it is at a moment (boottime) that is now, or was just now: epoch seconds."""
        if self._offset is None:
            return wall_now().timestamp()  # never connected: only the ages of stale answers depend on it
        return moment + self._offset + self._shift

    def set(self, now: float, sent_at: float) -> None:
        """The database's clock was `now` (epoch seconds) at some moment since `sent_at` (boottime).

        The offset stays within those bounds. A slow answer's are wide and move nothing; a quick one's correct what a
        slow one guessed wrong.
        """
        least, most = now - boottime(), now - sent_at
        self._offset = (least + most) / 2 if self._offset is None else min(max(self._offset, least), most)

    def shift(self, seconds: float) -> None:
        """Move it for good, beside what the database says; for tests in which hours pass."""
        self._shift += seconds
