"""Refresh ahead: what was read within the last minute is computed again before the next reader asks for it.

After a write, and before an entry's time is over. A refresh is a fill, and changes no rule: it is stored under the
versions that it was computed from. It is no read, so what nobody reads any more is not refreshed for long.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import blake2b
from itertools import count

from core.background import Background
from core.cache.cached_read import CachedRead
from core.cache.entry import Entry
from core.cache.fills.find_or_compute import Fills, FlightResult, VersionedKey
from core.cache.fills.slots import FillTurn
from core.cache.places import Place, Places
from core.cache.single_flight import Flights
from core.cache.stats.counters import CacheStats
from core.cache.tiers.both import Tiers
from core.cache.versions.map import NEVER, VersionMap
from core.clock import boottime
from core.errors import AppError, Unavailable
from core.telemetry.trace import VersionRow

EVERY, EVERY_NETWORK = 1.0, 2.0
"""Seconds between two refreshes of a place, at least."""
PARTS = 0.25
"""Seconds for which the network's refresh waits for those of its parts."""
PAUSE = 5.0
"""Seconds without a refresh, once the database was in trouble."""
BEFORE_END, BEFORE_END_NETWORK = (20.0, 5.0), (4.0, 2.0)
"""Seconds before an entry's end between which its successor is computed; the network's follows its parts'."""


class RefreshAhead:
    """One per process that serves. `run` does the work, two refreshes at once."""

    def __init__(
        self, versions: VersionMap, tiers: Tiers, fills: Fills, flights: Flights[FlightResult], stats: CacheStats
    ) -> None:
        self._versions = versions
        self._tiers = tiers
        self._fills = fills
        self._flights = flights
        self._stats = stats
        self.places = Places()
        self.on_looked: list[Callable[[int | None], None]] = []
        """Called with the clinic (None: the network) of a place that was refreshed, or needed no refresh."""
        self._queue: list[tuple[float, int, Place]] = []
        """(when, boottime; a number of its own; what). One that is not due then any more is passed over."""
        self._numbers = count()
        self._woken = asyncio.Event()
        self._turns: dict[str, FillTurn] = {}
        """Entry's key → the turn that its refresh waits for."""
        self._at_once = asyncio.Semaphore(2)
        self._paused_until = NEVER
        self._background = Background()
        self._is_ending = False
        versions.on_change.append(self._changed)

    # --- what readers tell

    def note(self, asked: CachedRead, entry: Entry) -> None:
        """A reader was answered with the entry."""
        place = self.places.read(asked)
        if place is not None and place.valid_until != entry.valid_until:
            if place.valid_until is not None:
                # What was computed ahead could not be kept as that before its time.
                self._tiers.keep_as_last_good(asked.entry_id, entry)
            self._expect_end(place, entry)

    def hurry(self, key: str) -> None:
        """A reader is about to join the flight of the entry with that key: it waits in an ordinary turn from now on."""
        turn = self._turns.get(key)
        if turn is not None:
            self._fills.slots.hurry(turn)

    def is_due(self, clinic_id: int | None, topic: str, *, within: float) -> bool:
        """Whether a place of the clinic (None: the network) that depends on the topic is being refreshed, or will be
        `within` seconds."""
        until = boottime() + within
        return any(
            place.is_busy or (place.due is not None and place.due <= until)
            for place in self.places.of(clinic_id)
            if topic in place.asked.policy.topics
        )

    def pause(self) -> None:
        """The database is in trouble: no refresh for a while."""
        self._paused_until = boottime() + PAUSE

    # --- what is due, and when

    def _changed(self, rows: Iterable[VersionRow]) -> None:
        for place in self.places.changed(rows):
            self._after_write(place)

    def _after_write(self, place: Place) -> None:
        # The network's is merged from parts: those that were written are refreshed first.
        self._expect(place, boottime() + (PARTS if place.is_network else 0.0))

    def _expect_end(self, place: Place, entry: Entry) -> None:
        """The place's entry is this one: its successor is due before it ends, at a moment that its place decides, for
        at full hours all end at once. All processes take the same; the network's comes after its parts'."""
        place.valid_until = entry.valid_until
        if entry.valid_until is not None:
            self._expect(place, boottime() + self._begins(place) - self._versions.now())

    def _begins(self, place: Place) -> float:
        """When (epoch seconds, the database's clock) its successor is due."""
        entry_id, until = place.asked.entry_id, place.valid_until or 0.0
        drawn = blake2b(f"{entry_id.policy.name}:{entry_id.clinic_id}:{entry_id.parameters}".encode(), digest_size=4)
        share = int.from_bytes(drawn.digest(), "big") / 2**32
        earliest, latest = BEFORE_END_NETWORK if place.is_network else BEFORE_END
        return until - earliest + share * (earliest - latest)

    def _expect(self, place: Place, due: float) -> None:
        """Look at the place then, or when it is due already; not too soon after its last refresh."""
        due = max(due, place.begun_at + (EVERY_NETWORK if place.is_network else EVERY))
        if place.due is None or due < place.due:
            place.due = due
            heapq.heappush(self._queue, (due, next(self._numbers), place))
            self._woken.set()

    # --- doing it

    async def run(self) -> None:
        """Refresh what is due. Runs until cancelled."""
        while True:
            await self._at_once.acquire()
            place = await self._next()
            place.is_busy = True
            task = self._background.start(self._look(place), name="refresh ahead")
            task.add_done_callback(lambda _: self._at_once.release())

    async def _next(self) -> Place:
        """The next place that is due, and not looked at already, once it is due."""
        while True:
            self._woken.clear()
            now = boottime()
            while self._queue and self._queue[0][0] <= now:
                due, _, place = heapq.heappop(self._queue)
                if place.due != due:
                    continue
                place.due = None
                if place.is_busy:
                    self._expect(place, now + EVERY)
                    continue
                return place
            until = self._queue[0][0] - now if self._queue else None
            try:
                async with asyncio.timeout(until):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _look(self, place: Place) -> None:
        try:
            await self._refresh_if_read(place)
        finally:
            place.is_busy = False
            for listener in self.on_looked:
                listener(place.asked.clinic_id)

    async def _refresh_if_read(self, place: Place) -> None:
        """Refresh the place, if it is still read and not fresh already."""
        if self._is_ending:
            return
        if not place.is_read:
            self.places.forget(place)
            return
        if boottime() < self._paused_until or not (self._versions.is_fresh() and self._versions.is_whole):
            self._expect(place, max(boottime() + EVERY, self._paused_until))
            return
        try:
            await self._refresh(place)
        except Unavailable:
            self.pause()
            self._expect(place, self._paused_until)
        except AppError:
            self.places.forget(place)  # an answer too: there is no such clinic any more
        except BaseException:
            self.places.forget(place)
            raise

    async def _refresh(self, place: Place) -> None:
        # Nothing awaits before the flight is joined: lease, versions and clock are those of one moment.
        wanted = self._fills.key_now(place.asked.entry_id)
        now = self._versions.now()
        held = self._tiers.in_memory(wanted.key, now)
        if held is None:
            entry = await self._after_a_write(place, wanted)
        elif held.valid_until is None:
            return
        else:
            place.valid_until = held.valid_until
            if self._begins(place) <= now:
                await self._before_the_end(place, wanted, held.valid_until)
                return
            entry = held
        self._expect_end(place, entry)

    async def _after_a_write(self, place: Place, wanted: VersionedKey) -> Entry:
        place.begun_at = boottime()
        asked = place.asked
        turn = self._turns[wanted.key] = FillTurn(ahead=True)
        try:
            found, joined = await self._flights.join(
                wanted.key, partial(self._fills.find_or_compute, asked.entry_id, wanted, asked.load, turn)
            )
        finally:
            del self._turns[wanted.key]
        if not joined:
            self._stats.count_refresh(asked.policy.name, found.tier)
        return found.entry

    async def _before_the_end(self, place: Place, wanted: VersionedKey, until: float) -> None:
        """As of the end of the entry there is, so that it is there when that one's time is over."""
        asked = place.asked
        successor = wanted.followed_at(until)
        if self._tiers.memory.get(successor.stored_under) is not None:
            return
        place.begun_at = boottime()
        found = await self._fills.find_or_compute_successor(asked.entry_id, successor, asked.load, FillTurn(ahead=True))
        if found is None:
            # Another process computes it. Redis will have it.
            self._expect(place, boottime() + EVERY)
        else:
            self._stats.count_refresh(asked.policy.name, found.tier)

    async def drain(self, within: float) -> None:
        """At shutdown: begin no other, and let those under way end, `within` seconds at most."""
        self._is_ending = True
        await self._background.drain(within)
