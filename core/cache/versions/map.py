"""The version map: what this process knows of `cache_version`, for how long it may trust it, and the database's clock.

Everything here is synchronous: a request compares lease, versions and clock in one block, with no await between. A flag
set by a timer would let a process that was stopped for five seconds serve one stale answer when it goes on.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import NamedTuple

from core.cache.versions.timeline import Timeline
from core.clock import boottime, wall_now
from core.trace import VersionRow

LEASE = 2.0
"""Seconds after a poll was *sent* during which its result may be trusted."""

Vector = dict[tuple[int, str], int]
"""(clinic or 0, topic) → version. What an entry was computed under; topics without a row are absent, and count as 0."""


class Poll(NamedTuple):
    """One look at the version rows, all from one snapshot."""

    rows: list[VersionRow]
    xmin: str
    """The snapshot's xmin: the next poll asks for rows changed in this transaction or later."""
    now: float
    """The database's clock, epoch seconds."""
    full: bool
    """Whether `rows` are all rows, or those changed since the last poll."""
    timeline: Timeline = Timeline("", "")
    """In the same snapshot."""
    number: int = 0
    total: int = 0
    """Of rows that there are, and the sum of their versions, whether told in `rows` or not."""


class VersionMap:
    def __init__(self) -> None:
        self._rows: Vector = {}
        self._trusted_until = float("-inf")
        self._distrusted_at = float("-inf")
        self.read_at = float("-inf")
        """When (boottime) the newest look at the rows was sent that came back, whatever was distrusted since."""
        self._offset: float | None = None
        self._shift = 0.0
        self._learnt: list[Vector] = []
        self._generation = 0
        self._network: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[int, str]] = {}
        self.on_change: list[Callable[[list[VersionRow]], None]] = []
        """Called with rows whose version is new to this process."""
        self.on_restored: list[Callable[[], None]] = []
        """Called when a poll shows that the database was restored: what is in memory belongs to another timeline."""
        self.timeline_id: str | None = None
        """As the last poll had it; None before the first."""
        self.is_whole = True
        """Whether every change is stamped, and these very rows were, as the last poll had it. If not, the lease is
        over, and nothing that is kept is right (core/cache/versions/timeline.py)."""
        self._fingerprint: str | None = None
        self._another_since = float("-inf")
        """boottime: when a poll came back that showed another timeline."""

    # --- the database's clock

    def now(self) -> float:
        """The database's clock, epoch seconds: its last known offset to a clock that nobody can set."""
        if self._offset is None:
            return wall_now().timestamp()  # never connected: only ages of stale answers are told by it
        return boottime() + self._offset + self._shift

    def shift_clock(self, seconds: float) -> None:
        """Move it for good, beside what polls tell; a test's way to let hours pass."""
        self._shift += seconds

    def _set_clock(self, now: float, sent_at: float) -> None:
        """The database's clock was `now` at some moment since `sent_at`: bounds within which the offset stays."""
        least, most = now - boottime(), now - sent_at
        if self._offset is None:
            self._offset = (least + most) / 2
        else:
            # A slow poll's bounds are wide and move nothing; a quick one's tell what a slow one guessed wrong.
            self._offset = min(max(self._offset, least), most)

    # --- trust

    def is_fresh(self) -> bool:
        """Whether the lease holds at this very moment. Ask again after every await."""
        return boottime() < self._trusted_until

    def lease_age(self) -> float:
        """Seconds since the poll that the lease rests on was sent; infinite before the first."""
        return boottime() - self.true_at()

    def true_at(self) -> float:
        """When (boottime) the map was last known to be true: as the poll was sent that the lease rests on."""
        return self._trusted_until - LEASE

    def distrust(self) -> None:
        """End the lease: the next request reads the version rows itself. Polls under way do not renew it."""
        self._trusted_until = float("-inf")
        self._distrusted_at = boottime()

    # --- what is known

    def get(self, clinic_id: int, topic: str) -> int:
        return self._rows.get((clinic_id, topic), 0)

    def rows(self) -> Vector:
        return dict(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def vector(self, clinic_id: int | None, topics: tuple[str, ...], global_topics: tuple[str, ...]) -> Vector:
        """Versions of `topics` of one clinic, or of all (None), and of `global_topics` of clinic 0."""
        wanted = {(0, topic): self.get(0, topic) for topic in global_topics}
        if clinic_id is not None:
            wanted |= {(clinic_id, topic): self.get(clinic_id, topic) for topic in topics}
        else:
            wanted |= {key: version for key, version in self._rows.items() if key[0] and key[1] in topics}
        return wanted

    def token(self, clinic_id: int | None, topics: tuple[str, ...], global_topics: tuple[str, ...]) -> str:
        """The vector's form in a key. A network's is kept until any version changes."""
        if clinic_id is not None:
            get = self._rows.get
            versions = [get((clinic_id, topic), 0) for topic in topics]
            versions += [get((0, topic), 0) for topic in global_topics]
            return ".".join(f"{version:x}" for version in versions)
        kept = self._network.get((topics, global_topics))
        if kept is None or kept[0] != self._generation:
            token = token_of(self.vector(None, topics, global_topics), None, topics, global_topics)
            kept = self._network[topics, global_topics] = (self._generation, token)
        return kept[1]

    # --- learning

    def committed(self, rows: Iterable[VersionRow]) -> None:
        """What this process committed, read or was notified of. Never lowers, and never renews the lease."""
        changed: list[VersionRow] = []
        for clinic_id, topic, version in rows:
            key = (clinic_id, topic)
            self._note(key, version)
            if version > self._rows.get(key, 0):
                self._rows[key] = version
                changed.append((clinic_id, topic, version))
        self._changed(changed)

    def made(self, rows: Iterable[VersionRow]) -> None:
        """What this process committed, read after its COMMIT. Lower ones than are known are not those of the timeline
        that is known: the rows themselves tell. (Or another commit was learnt of meanwhile; then it is one look more.)
        """
        read = list(rows)
        self.committed(read)
        if any(version < self.get(clinic_id, topic) for clinic_id, topic, version in read):
            self.distrust()

    def _note(self, key: tuple[int, str], version: int) -> None:
        for learnt in self._learnt:
            learnt[key] = max(version, learnt.get(key, 0))

    def poll_started(self) -> Vector:
        """Begin to note what is learnt while a poll is in flight; give it to `polled` or `poll_failed`."""
        learnt: Vector = {}
        self._learnt.append(learnt)
        return learnt

    def poll_failed(self, learnt: Vector) -> None:
        self._learnt = [other for other in self._learnt if other is not learnt]

    def polled(self, poll: Poll, learnt: Vector, sent_at: float) -> None:
        """Take a poll's result. It replaces what the map holds, but what was learnt meanwhile keeps the higher value.

        Not a plain replacement: a commit of this process, or another poll that overtook this one, may be newer than the
        poll's snapshot. Not a plain maximum: a restored database must be able to lower a version.
        """
        self.poll_failed(learnt)
        if sent_at < self._another_since:
            # Its snapshot may be one of the timeline that is gone, and then its rows are higher than those there are.
            self.distrust()
            return
        told = {(clinic_id, topic): version for clinic_id, topic, version in poll.rows}
        for key, version in told.items():
            self._note(key, version)
        if poll.full:
            told |= {key: 0 for key in self._rows if key not in told}
        changed, lowered = self._replace({key: max(version, learnt.get(key, 0)) for key, version in told.items()})
        self.read_at = max(self.read_at, sent_at)
        self._set_clock(poll.now, sent_at)
        replaced = self._replaced(poll.timeline)
        if not poll.timeline.is_whole or (replaced and not poll.full):
            self._trusted_until = float("-inf")
        elif sent_at >= self._distrusted_at:
            self._trusted_until = max(self._trusted_until, sent_at + LEASE)
        if lowered or replaced:
            self._another_since = boottime()
            for listener in self.on_restored:
                listener()
        self._changed(changed)

    def _replace(self, told: Vector) -> tuple[list[VersionRow], bool]:
        """(the rows that are new; whether any of them is lower than before). 0 stands for a row that is gone."""
        changed: list[VersionRow] = []
        lowered = False
        for key, version in told.items():
            known = self._rows.get(key, 0)
            if version != known:
                lowered = lowered or version < known
                self._rows[key] = version
                changed.append((*key, version))
            if not version:
                self._rows.pop(key, None)
        return changed, lowered

    def _replaced(self, timeline: Timeline) -> bool:
        """Whether the tables or triggers are others than the last poll saw, if it saw all of them, or stamped anew."""
        self.is_whole = timeline.is_whole
        before, self._fingerprint = self._fingerprint, timeline.fingerprint
        id_before, self.timeline_id = self.timeline_id, timeline.id or self.timeline_id
        return (before is not None and before != timeline.fingerprint) or id_before not in (None, self.timeline_id)

    def _changed(self, rows: list[VersionRow]) -> None:
        if rows:
            self._generation += 1
            for listener in self.on_change:
                listener(rows)


def token_of(vector: Vector, clinic_id: int | None, topics: tuple[str, ...], global_topics: tuple[str, ...]) -> str:
    """The form in a key of versions that a fill read; equal to `VersionMap.token` for equal versions."""
    if clinic_id is not None:
        versions = [vector.get((clinic_id, topic), 0) for topic in topics]
        versions += [vector.get((0, topic), 0) for topic in global_topics]
        return ".".join(f"{version:x}" for version in versions)
    named = sorted((key, version) for key, version in vector.items() if version)
    return blake2b(repr(named).encode(), digest_size=12).hexdigest()


def at_least(vector: Vector, floor: Vector) -> bool:
    """Whether every version in `floor` is reached."""
    return all(vector.get(key, 0) >= version for key, version in floor.items())
