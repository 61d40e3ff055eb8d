"""Events: each change of a version, told to the clients that hang on this process.

Clients hang on the version map, to which changes are pushed (docs/design/cache.md, "Push"): none of them costs a query
or asks Redis. One task wakes them, some at a time, so that requests are answered meanwhile.
"""

import asyncio
import random
import secrets
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from core.cache.ahead import RefreshAhead
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.header import VersionHeader
from core.cache.versions.map import VersionMap
from core.clock import boottime
from core.errors import Unavailable
from core.events import text
from core.events.feed import TOPICS, Feed, Name, News
from core.events.held_figures import HeldFigures
from core.events.stream import Stream
from core.events.text import End
from core.sessions.copies import SessionCopy
from core.sessions.store import Sessions
from core.telemetry.log import warn_seldom
from core.telemetry.longest import Longest
from core.telemetry.trace import VersionRow

OF_A_SESSION: Final = 10
"""Streams at once; a newer one ends the oldest. Behind some proxies nobody hears that a client is gone."""
BEAT: Final = 15.0
"""Seconds of silence after which a client is sent a comment, unless it asked to hear more often."""
LOOK_EVERY: Final = 0.25
"""Seconds between two looks at the lease and at who has not heard anything for a beat."""
GATHER: Final = 0.01
"""Seconds for which changes are gathered before clients are woken."""
AT_ONCE: Final = 50
"""Clients that are woken in one go: some milliseconds, and then whatever else the process has to do."""
MANY: Final = 1000
"""Changes at once of which each client is told all versions instead."""
SHORTEST_LIFE: Final = 0.85
"""Of the longest: clients that came at once, after a deploy, do not all come again at once."""
COME_AGAIN: Final = (2, 10)
"""Seconds between which somebody is told to come again whom there is no room for."""


class Events:
    """One per process; `deliver` and `watch` run until cancelled. `most`: streams at once; `lasts`: seconds."""

    def __init__(
        self,
        versions: VersionMap,
        direct: DirectReads,
        sessions: Sessions,
        header: VersionHeader,
        ahead: RefreshAhead | None,
        *,
        most: int,
        lasts: float,
    ) -> None:
        self.versions = versions
        self.sessions = sessions
        self.generation = 0
        """Rises where clients are to be told all versions."""
        self.ended: dict[str, int] = defaultdict(int)
        """Why → streams that are over."""
        self.sent: dict[str, int] = defaultdict(int)
        """Kind → what clients were told: changes, whole (versions), stale."""
        self.coalesced = 0
        """Changes that were not told, because a newer one of the same topic was."""
        self.refused = 0
        self.lag = Longest()
        """Seconds from when there was something to tell until all clients that were listening had been told."""
        self._direct = direct
        self._header = header
        self._most = most
        self._lasts = lasts
        self._figures = HeldFigures(ahead, self._tell)
        self._name = secrets.token_hex(4)
        self._feeds: dict[int | None, Feed] = {}
        self._heard: dict[Stream, float] = {}
        """All streams, and when (boottime) each was last told anything."""
        self._of_session: defaultdict[int, deque[Stream]] = defaultdict(deque)
        self._stale: set[Stream] = set()
        self._items: dict[Name, tuple[int, bytes]] = {}
        """(version, the version as JSON)"""
        self._due: dict[Feed, float] = {}
        """Feeds whose clients are to be woken, and since when (boottime)."""
        self._woken = asyncio.Event()
        self._lapsed = False
        self._is_ending = False
        versions.on_change.append(self._changed)
        versions.on_restored.append(self._begin_again)

    def __len__(self) -> int:
        """Streams."""
        return len(self._heard)

    def limit(self, most: int) -> None:
        """No more streams than this, whatever the settings say."""
        self._most = min(self._most, most)

    # --- clients

    @contextmanager
    def opened(self, clinic_id: int | None, token: str, copy: SessionCopy, beat: float = BEAT) -> Iterator[Stream]:
        """A stream about `clinic_id` (None: the network), of the session that is `copy` and has that token; `beat`:
        seconds of silence that it bears.

        Raises Unavailable where there is no room, or the process is about to end.
        """
        if self._is_ending or len(self._heard) >= self._most:
            self.refused += 1
            again = random.randint(*COME_AGAIN)  # noqa: S311  no secret
            raise Unavailable("There are too many event streams here just now.", retry_after=again)
        feed = self._feeds.get(clinic_id)
        if feed is None:
            feed = self._feeds[clinic_id] = Feed(clinic_id, self._name)
        lasts = self._lasts * random.uniform(SHORTEST_LIFE, 1.0)  # noqa: S311  no secret
        stream = Stream(self, feed, token, copy, lasts, beat)
        feed.streams.add(stream)
        self._heard[stream] = boottime()
        siblings = self._of_session[copy.session_id]
        siblings.append(stream)
        if len(siblings) > OF_A_SESSION:
            siblings.popleft().end(End.REPLACED)
        try:
            yield stream
        finally:
            self._close(stream)

    def _close(self, stream: Stream) -> None:
        self.ended[stream.close()] += 1
        del self._heard[stream]
        self._stale.discard(stream)
        stream.feed.streams.discard(stream)
        if not stream.feed.streams and self._feeds.get(stream.feed.clinic_id) is stream.feed:
            del self._feeds[stream.feed.clinic_id]
        siblings = self._of_session[stream.session_id]
        if stream in siblings:
            siblings.remove(stream)
        if not siblings:
            del self._of_session[stream.session_id]

    def end_all(self) -> None:
        """This process is about to end: say so, and open no other."""
        self._is_ending = True
        for stream in self._heard:
            stream.end(End.DEPLOY)

    # --- what streams ask and tell

    def is_current(self) -> bool:
        """Whether the versions are known to be current at this very moment."""
        return self.versions.is_fresh() and self.versions.is_whole

    @property
    def has_lapsed(self) -> bool:
        """Whether they are not, and could not be read."""
        return self._lapsed and not self.is_current()

    def item(self, name: Name) -> bytes:
        """Its version as this process knows it, as JSON."""
        version = self.versions.get(*name)
        kept = self._items.get(name)
        if kept is None or kept[0] != version:
            kept = self._items[name] = (version, text.item(*name, self._header.word(*name, version)))
        return kept[1]

    def said(self, stream: Stream) -> None:
        """Something goes out to the client now."""
        self._heard[stream] = boottime()

    def count(self, news: News) -> None:
        self.sent["change"] += news.changes
        self.coalesced += news.coalesced

    def count_whole(self, stream: Stream) -> None:
        self.sent["versions"] += 1
        self._stale.discard(stream)

    def count_stale(self, stream: Stream) -> None:
        self.sent["stale"] += 1
        self._stale.add(stream)

    # --- what the version map tells

    def _changed(self, rows: Collection[VersionRow]) -> None:
        if not self._feeds:
            return
        if len(rows) > MANY:
            self._begin_again()
            return
        for clinic_id, topic, _ in rows:
            for feed in self._concerned(clinic_id):
                if topic == "users":
                    self._wake_soon(feed)  # some sessions may have ended
                elif topic in TOPICS and not self._figures.hold(feed, (clinic_id, topic)):
                    self._tell(feed, (clinic_id, topic))

    def _tell(self, feed: Feed, name: Name) -> None:
        feed.add(name, self.item(name))
        self._wake_soon(feed)

    def _concerned(self, clinic_id: int) -> Iterable[Feed]:
        if not clinic_id:
            return list(self._feeds.values())
        return [feed for of in (clinic_id, None) if (feed := self._feeds.get(of)) is not None]

    def _begin_again(self) -> None:
        """Versions may have gone back, or all of them are new."""
        self.generation += 1
        for feed in self._feeds.values():
            self._wake_soon(feed)

    def _wake_soon(self, feed: Feed) -> None:
        self._due.setdefault(feed, boottime())
        self._woken.set()

    # --- what goes on beside

    async def deliver(self) -> None:
        """Wake the clients that something has changed for."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(GATHER)
            self._woken.clear()
            due, self._due = self._due, {}
            began = boottime()
            for feed, since in due.items():
                await self._wake(feed.streams)
                self.lag.note(boottime() - since, boottime())
            # However many changes there are: half of the time is for what else there is to do.
            await asyncio.sleep(boottime() - began)

    async def watch(self) -> None:
        """Tell clients where nobody knows any more what is current, and when somebody does again; and that they are not
        forgotten."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._heard:
                await self._look()

    async def _look(self) -> None:
        if not self.is_current():
            # Once for all clients, and only where no request has it read.
            try:
                await self._direct.ensure_fresh()
            except Unavailable:
                pass
            except Exception as error:  # noqa: BLE001  whatever it is: it is not known what is current
                warn_seldom("versions could not be read for events", type(error).__name__, error=type(error).__name__)
        was, self._lapsed = self._lapsed, not self.is_current()
        if self._lapsed and not was:
            await self._wake(self._heard)
        elif self._stale and not self._lapsed:
            await self._wake(self._stale)
        await self._beat()

    async def _beat(self) -> None:
        now = boottime()
        silent = [stream for stream, heard in self._heard.items() if heard <= now - min(stream.beat, BEAT)]
        await self._wake(silent, beat=True)

    async def _wake(self, streams: Collection[Stream], *, beat: bool = False) -> None:
        for number, stream in enumerate([*streams], 1):
            stream.wake(beat=beat)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
