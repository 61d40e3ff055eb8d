"""One client's stream: what it is told next.

It never waits for its client: `next` is asked once what came before has been taken. So a client that takes nothing
costs what it cost before, and is told the newest when it goes on.
"""

import asyncio
from typing import TYPE_CHECKING

from core.errors import NotAuthenticated, Unavailable
from core.events import text
from core.events.feed import AT_ONCE, Feed, Name
from core.events.text import End
from core.sessions.copies import SessionCopy
from core.sessions.store import READ_ON

if TYPE_CHECKING:
    from core.events.events import Events


class Stream:
    __slots__ = (
        *("feed", "is_stale", "beat", "_beat", "_changes", "_copy", "_end", "_events", "_generation", "_has_said_end"),
        *("_left", "_number", "_timer", "_token", "_verified_at", "_waiting", "_whole"),
    )

    def __init__(self, events: "Events", feed: Feed, token: str, copy: SessionCopy, lasts: float, beat: float) -> None:
        """`token`: of the session that `copy` is of. `lasts`: seconds; `beat`: of silence, after which its client is
        to hear something."""
        self.feed = feed
        self.beat = beat
        self.is_stale = False
        """The client was told that nobody knows what is current, and nothing since."""
        self._events = events
        self._token = token
        self._copy = copy
        self._number = feed.number
        self._generation = -1
        """Of the versions that the client was told whole."""
        self._changes = -1
        """Of the version map, when the session was last looked at."""
        self._verified_at = events.versions.now()
        """The database's clock."""
        self._whole: list[Name] | None = None
        """Those that it is still to be told."""
        self._beat = False
        """It has heard nothing for a while."""
        self._left = False
        self._end: End | None = None
        self._has_said_end = False
        self._waiting: asyncio.Future[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(lasts, self.end, End.TIME)

    @property
    def session_id(self) -> int:
        return self._copy.session_id

    # --- what others tell

    def wake(self, *, beat: bool = False) -> None:
        """There may be something to say; with `beat` a comment, where there is not."""
        self._beat = self._beat or beat
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def end(self, reason: End) -> None:
        """Say why, and no more. The first reason counts."""
        self._end = self._end or reason
        self.wake()

    def leave(self) -> None:
        """The client is gone."""
        self._left = True
        self.wake()

    def close(self) -> str:
        """It is over; gives why."""
        self._timer.cancel()
        return self._end if self._has_said_end and self._end is not None else "left"

    # --- what the client is told

    async def next(self) -> bytes | None:
        """What is to be sent, as soon as there is something; None once it is over."""
        while True:
            if self._left or self._has_said_end:
                return None
            if self._end is not None:
                self._has_said_end = True
                return text.end(self._end)
            said = await self._news()
            # Without a lease a comment would say that there is nothing new; whoever was told `stale` knows better.
            if said is None and self._end is None and self._beat and (self.is_stale or self._events.is_current()):
                said = text.COMMENT
            if said is not None:
                self._beat = False
                self._events.said(self)
                return said
            if self._end is None and not self._left:
                self._waiting = asyncio.get_running_loop().create_future()
                await self._waiting
                self._waiting = None

    async def _news(self) -> bytes | None:
        if self._events.has_lapsed and not self.is_stale:
            return self._say_stale()
        is_verified = True
        if self._beat or self._changes != self._events.versions.changes:
            is_verified = await self._verify()
        # From here on nothing awaits: who is told what was right at one moment.
        if self._end is not None or self._left:
            return None
        if not is_verified:
            return None if self.is_stale else self._say_stale()
        if self._generation != self._events.generation:
            self._generation, self._number, self._whole = self._events.generation, self.feed.number, None
            return self._begin()
        if self._whole is not None:
            return self._part()
        if self.is_stale:
            return self._begin() if self._events.is_current() else None
        news = self.feed.since(self._number)
        if news is None:
            return None
        self._number = news.number
        self._events.count(news)
        return news.text

    async def _verify(self) -> bool:
        """Whether the session is known to go on; end where it has ended or is another's, or nobody could say for as
        long as a session may go on then. It is looked at as any request's is, in memory as long as no user of the
        clinic has changed; and it is not used by that."""
        self._changes = self._events.versions.changes
        try:
            copy = await self._events.sessions.authenticate(self._token, slide=False)
        except NotAuthenticated:
            self.end(End.SESSION_ENDED)
            return False
        except Unavailable:
            self._changes = -1
            if self._events.versions.now() - self._verified_at > READ_ON:
                self.end(End.UNVERIFIED)
            return False
        if (copy.role, copy.clinic_id) != (self._copy.role, self._copy.clinic_id):
            self.end(End.ACCESS_CHANGED)
        if self._events.is_current():
            self._verified_at = self._events.versions.now()
        return True

    def _say_stale(self) -> bytes:
        self.is_stale = True
        self._whole = None
        self._events.count_stale(self)
        return text.STALE

    def _begin(self) -> bytes | None:
        """All versions, from the first on; or that nobody knows which they are."""
        if not self._events.is_current():
            return None if self.is_stale else self._say_stale()
        self.is_stale = False
        self._events.count_whole(self)
        self._number = self.feed.number
        self._whole = self.feed.names(self._events.versions.rows)
        return text.retry()[0] + self._part()

    def _part(self) -> bytes:
        # Versions that are newer than when this began are told once more, as changes.
        names = self._whole or []
        told, left = names[:AT_ONCE], names[AT_ONCE:]
        self._whole = left or None
        return text.versions(map(self._events.item, told), more=bool(left))
