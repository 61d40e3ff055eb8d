"""Changes of figures wait for the refresh that they bring about, so that clients who fetch then hit."""

import asyncio
from collections.abc import Callable
from typing import Final

from core.cache.ahead import RefreshAhead
from core.events.feed import Feed, Name

TOPIC: Final = "figures"
AT_MOST: Final = 0.3
"""Seconds for which one is held back."""
SOON: Final = AT_MOST
"""Seconds within which a refresh begins that is waited for."""


class HeldFigures:
    """`ahead` None: nothing is refreshed, and nothing held. `tell` is called with what is let go."""

    def __init__(self, ahead: RefreshAhead | None, tell: Callable[[Feed, Name], None]) -> None:
        self._ahead = ahead
        self._tell = tell
        self._held: dict[Feed, dict[Name, asyncio.TimerHandle]] = {}
        if ahead is not None:
            ahead.on_looked.append(self._looked)

    def hold(self, feed: Feed, name: Name) -> bool:
        """Whether this change is held back: it is one of figures that somebody is about to refresh."""
        if name[1] != TOPIC or self._ahead is None or not self._ahead.is_due(feed.clinic_id, TOPIC, within=SOON):
            return False
        held = self._held.setdefault(feed, {})
        if name not in held:  # a later change waits no longer than the first
            held[name] = asyncio.get_running_loop().call_later(AT_MOST, self._let_go, feed, name)
        return True

    def _looked(self, clinic_id: int | None) -> None:
        for feed in [feed for feed in self._held if feed.clinic_id == clinic_id]:
            if self._ahead is not None and not self._ahead.is_due(clinic_id, TOPIC, within=SOON):
                for name, timer in [*self._held[feed].items()]:
                    timer.cancel()
                    self._let_go(feed, name)

    def _let_go(self, feed: Feed, name: Name) -> None:
        held = self._held[feed]
        del held[name]
        if not held:
            del self._held[feed]
        self._tell(feed, name)
