"""A circuit breaker: after trouble nobody waits for Redis again until a probe has succeeded."""

from core.cache.tiers.trouble import Trouble
from core.telemetry.log import logger

REFUSALS = 3
"""Errors in a row that open it. A time-out opens it at once: it has cost somebody the whole budget already."""


class Breaker:
    """Open after a time-out, or REFUSALS errors in a row: until it is closed nobody waits for Redis."""

    def __init__(self) -> None:
        self.is_open = False
        self.opened = 0
        self._failures = 0
        self._logged: str | None = None

    def succeeded(self, *, wrote: bool) -> None:
        """A replica and a full server go on answering reads: only a write shows that they are well again."""
        if wrote or self._logged is None:
            self._failures = 0
        if wrote and not self.is_open:
            self.close()

    def failed(self, trouble: Trouble, detail: str) -> None:
        """Note an error of an operation. `detail` goes to the log, once per change."""
        self._failures += 1
        if self._logged != detail:
            # Once per change: a night without Redis must not fill a disk.
            logger.warning("redis trouble", trouble=trouble.value, detail=detail)
            self._logged = detail
        if not self.is_open and (trouble is Trouble.TIMEOUT or self._failures >= REFUSALS):
            self.is_open = True
            self.opened += 1

    def close(self) -> None:
        """After a probe that succeeded, or where none is under way the next write that did."""
        if self._logged is not None:
            logger.info("redis is back")
        self.is_open = False
        self._failures = 0
        self._logged = None
