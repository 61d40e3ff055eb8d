"""Deliberately broken caches, each in one way that somebody has built: the check must tell every one.

Patches of one process's mechanisms, or SQL in the database that all share.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from core import times
from core.cache.fills.fill import Fill, Loaded, Loader, read_versions, utc
from core.cache.fills.find_or_compute import Fills, FlightResult, VersionedKey
from core.cache.fills.lease import Lease
from core.cache.fills.slots import FillTurn
from core.cache.policy import EntryId
from core.cache.read_through import Cache
from core.cache.single_flight import Flights
from core.cache.versions.map import VersionMap
from core.cache.versions.snapshot import Ledger, VersionSnapshot
from core.cache.versions.timeline import Timeline
from core.cache.versions.vector import Vector
from core.clock import boottime
from core.db.transaction import ReadSession
from core.events.events import Events
from core.events.feed import Feed, Name
from core.telemetry.trace import VersionRow

SHORTEST_LIFE = 1.0
"""Seconds for which an entry serves, at least."""
NO_BUMP = """
CREATE OR REPLACE FUNCTION cache_stamp_doctor() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'
"""
"""Not the triggers: that they are on is looked at with each poll."""
BUMP_BY_ONE = """
DO $$
DECLARE
    source text := pg_get_functiondef(oid) FROM pg_proc WHERE prosrc LIKE '%INSERT INTO cache_version AS v%';
    naive text := replace(source, '1 + floor(random() * 4294967296)::bigint', '1');
BEGIN
    IF naive = source THEN
        RAISE EXCEPTION 'the function has no random step any more';
    END IF;
    EXECUTE naive;
END $$
"""


def lease_by_timer() -> None:
    """A flag that a timer looks after: a process that goes on serves what it finds in its sockets before it wakes."""
    polled = VersionMap.read_ended
    is_fresh = VersionMap.is_fresh
    flags: dict[int, bool] = {}
    timers: list[asyncio.Task[None]] = []

    async def look_after(versions: VersionMap) -> None:
        while True:
            flags[id(versions)] = is_fresh(versions)
            await asyncio.sleep(times.VERSION_LEASE / 20)  # the timer, which is what is wrong

    def polled_and_flagged(self: VersionMap, snapshot: VersionSnapshot, learnt: Vector, sent_at: float) -> None:
        polled(self, snapshot, learnt, sent_at)
        if id(self) not in flags:
            timers.append(asyncio.create_task(look_after(self)))
        flags[id(self)] = is_fresh(self)

    VersionMap.read_ended = polled_and_flagged  # type: ignore[method-assign]
    VersionMap.is_fresh = lambda self: flags.get(id(self), False)  # type: ignore[method-assign]
    # This one a hit asks, prepared or routed.
    VersionMap.is_fresh_at = lambda self, moment: flags.get(id(self), False)  # type: ignore[method-assign]


def flight_without_versions() -> None:
    """Who asks after a write joins a computation that began before it."""
    join = Flights.join

    async def join_any(self: Flights[Any], key: str, compute: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
        if "}:" not in key:
            return await join(self, key, compute)  # of a session
        *start, policy, shape, _, parameters = key.split(":")
        return await join(self, ":".join([*start, policy, shape, parameters]), compute)

    Flights.join = join_any  # type: ignore[method-assign]
    Cache._is_current = lambda *_: True  # type: ignore[method-assign]


def poll_replaces() -> None:
    """A poll's result takes the place of what was learnt while it was under way."""
    polled = VersionMap.read_ended

    def polled_plainly(self: VersionMap, snapshot: VersionSnapshot, learnt: Vector, sent_at: float) -> None:
        learnt.clear()
        polled(self, snapshot, learnt, sent_at)

    VersionMap.read_ended = polled_plainly  # type: ignore[method-assign]


def versions_after_data() -> None:
    """The rows first, then the versions, each as of its own moment: old rows under new versions."""

    async def fill(
        self: Fills, entry_id: EntryId, load: Loader, seconds: float, lease: Lease, as_of: float | None = None
    ) -> FlightResult:
        async def work(session: ReadSession) -> FlightResult:
            at, now = boottime(), utc(self._versions.now())
            before = Fill(session, now, (await read_versions(session, entry_id.clinic_id))[0], self._tiers)
            loaded = await load(before)
            read, _ = await read_versions(session, entry_id.clinic_id)
            return FlightResult(loaded.entry(now), entry_id.policy.vector(read, entry_id.clinic_id), "database", at, at)

        found = await self._database.read(work, budget=seconds)
        key = self._tiers.key(entry_id, entry_id.policy.token(found.versions, entry_id.clinic_id))
        self._release(lease, after=self._tiers.put(entry_id, key, found.entry))
        return found

    Fills._fill = fill  # type: ignore[method-assign]


def joins_of_finished_tasks() -> None:
    """A flight counts as under way until the loop has told that it is done. Awaiting it then waits for nothing, and who
    looks again after each join keeps the process to itself: it answers nobody, `/livez` neither.
    """
    forget = Flights._forget

    def forget_late(self: Flights[Any], key: str, task: "asyncio.Task[Any]") -> None:
        # As a loop with much to do would: that two ask in the very turn in which it ends is rare otherwise.
        asyncio.get_running_loop().call_later(0.01, forget, self, key, task)

    Flights._under_way = lambda self, key: self._flying.get(key)  # type: ignore[method-assign]
    Flights._forget = forget_late  # type: ignore[method-assign]


def restores_unseen() -> None:
    """Polls look at version rows alone, and not at what they stand for; and a version can only rise."""
    replace = VersionMap._replace

    def raise_only(self: VersionMap, versions: Vector) -> tuple[list[VersionRow], bool]:
        return replace(self, {key: max(version, self.rows.get(key, 0)) for key, version in versions.items()})

    Timeline.is_whole = property(lambda _: True)  # type: ignore[method-assign, assignment]
    Timeline.is_new = property(lambda _: False)  # type: ignore[method-assign, assignment]
    VersionMap._replaced = lambda *_: False  # type: ignore[method-assign]
    VersionMap._replace = raise_only  # type: ignore[method-assign]
    Ledger.agrees = lambda *_: True  # type: ignore[method-assign]


def refreshed_under_newer_versions() -> None:
    """A refresh ahead is stored under the versions known as it ends, not under those that it was computed from."""
    find_or_compute = Fills.find_or_compute

    async def find(
        self: Fills, entry_id: EntryId, wanted: VersionedKey, load: Loader, turn: FillTurn | None = None
    ) -> FlightResult:
        found = await find_or_compute(self, entry_id, wanted, load, turn)
        if turn is not None:
            self._tiers.put(entry_id, self.key_now(entry_id).key, found.entry)
        return found

    Fills.find_or_compute = find  # type: ignore[method-assign]


def changes_untold() -> None:
    """Clients are told of a change only where nothing of the same topic was told shortly before: the last one of many
    is never told."""
    tell, told = Events._tell, dict[object, float]()

    def tell_seldom(self: Events, feed: Feed, name: Name) -> None:
        if boottime() - told.get((feed, name), 0.0) > 60.0:
            told[feed, name] = boottime()
            tell(self, feed, name)

    Events._tell = tell_seldom  # type: ignore[method-assign]


def versions_never_made() -> None:
    """What is told is the version that comes next, as if each change were one more: an answer under it never comes."""
    item = Events.item

    def next_item(self: Events, name: Name) -> bytes:
        known = item(self, name)
        version = self.versions.get(*name)
        return known.replace(self._header.word(*name, version).encode(), self._header.word(*name, version + 1).encode())

    Events.item = next_item  # type: ignore[method-assign]


def slow_fills(most: float) -> None:
    """Not broken, only slower: what a fill read gets `most` seconds old at most, before it is stored. And over sooner,
    so that each entry is followed by one computed ahead."""
    lead = Fills._lead

    async def lead_slowly(self: Fills, entry_id: EntryId, wanted: Any, load: Loader, *rest: Any, **more: Any) -> Any:
        return await lead(self, entry_id, wanted, partial(_slowly, load, most), *rest, **more)

    Fills._lead = lead_slowly  # type: ignore[method-assign]


async def _slowly(load: Loader, most: float, fill: Fill) -> Loaded:
    loaded = await load(fill)
    # Longer and shorter in turns, without a generator of its own: versions are random enough.
    share = (sum(fill.versions.values()) % 97) / 96
    await asyncio.sleep(most * share)
    ends = fill.now + timedelta(seconds=SHORTEST_LIFE + share)
    return replace(loaded, valid_until=min(ends, loaded.valid_until or ends))


PATCHES: dict[str, Callable[[], None]] = {
    "lease as a timer's flag": lease_by_timer,
    "flight keyed without versions": flight_without_versions,
    "poll plainly replaces the map": poll_replaces,
    "versions read after the data": versions_after_data,
    "joins of finished tasks": joins_of_finished_tasks,
    "restores unseen": restores_unseen,
    "refreshed under newer versions": refreshed_under_newer_versions,
    "changes untold": changes_untold,
    "versions told that were never made": versions_never_made,
}
STATEMENTS = {
    "no bump": NO_BUMP,
    "bump by one": BUMP_BY_ONE,
}
