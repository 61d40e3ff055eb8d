"""The version map: what this process knows of `cache_version`, and for how long it may trust that.

Everything here is synchronous: a request compares lease, versions and clock in one block, with no await between. A flag
set by a timer would let a process that was stopped for five seconds serve one stale answer when it goes on.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from core import times
from core.cache.versions.clock import DatabaseClock
from core.cache.versions.snapshot import VersionSnapshot
from core.cache.versions.timeline import Timeline
from core.cache.versions.vector import Vector
from core.clock import boottime
from core.telemetry.trace import VersionRow

T = TypeVar("T")

NEVER = float("-inf")


class VersionMap:
    """All versions that this process knows, and until when it may take them for true (the lease). Without I/O: others
    read the database, and give it what they read."""

    def __init__(self) -> None:
        self.clock = DatabaseClock()
        self.now = self.clock.now
        self.rows: Vector = {}
        """Every version known, as it is now. Only to be read."""
        self.read_at = NEVER
        """When (boottime) the newest read of the rows that came back was sent, whatever was distrusted since."""
        self.on_change: list[Callable[[list[VersionRow]], None]] = []
        """Called with rows whose version is new to this process."""
        self.on_restored: list[Callable[[], None]] = []
        """Called when the database turns out to have been restored: what memory holds belongs to another timeline."""
        self.timeline_id: str | None = None
        """As the last read of the rows had it; None before the first."""
        self.is_whole = True
        """Whether, at the last read, every change was stamped and the tables had the rows that the versions were
        stamped for. If not, there is no lease, and nothing kept is right (core/cache/versions/timeline.py)."""
        self.is_missing_stamps = False
        """Whether changes may have left no stamp in this timeline, which looks whole again: another is to begin."""
        self.changes = 0
        """How often rows have changed: while it is the same, whatever was made of the rows is, too."""
        self._trusted_until = NEVER
        self._distrusted_at = NEVER
        self._reads: list[Vector] = []
        self._derived: dict[object, object] = {}
        self._fingerprint: str | None = None
        self._unstamped: str | None = None
        """The timeline in which changes may have left no stamp."""
        self._another_timeline_at = NEVER
        """boottime: when a read came back that showed another timeline."""

    # --- trust

    def is_fresh(self) -> bool:
        """Whether the lease holds at this very moment. Ask again after every await."""
        return boottime() < self._trusted_until

    def is_fresh_at(self, moment: float) -> bool:
        """The same for a moment (boottime) that was just now: nothing awaited since."""
        return moment < self._trusted_until

    def lease_age(self) -> float:
        """Seconds since the read that the lease rests on was sent; infinite before the first."""
        return boottime() - self.true_at()

    def true_at(self) -> float:
        """When (boottime) the map was last known to be true: as the read that the lease rests on was sent."""
        return self._trusted_until - times.VERSION_LEASE

    def distrust(self) -> None:
        """End the lease: the next request reads the version rows itself. Reads under way do not renew it."""
        self._trusted_until = NEVER
        self._distrusted_at = boottime()

    # --- what is known

    def get(self, clinic_id: int, topic: str) -> int:
        """0 where there is no such row."""
        return self.rows.get((clinic_id, topic), 0)

    def __len__(self) -> int:
        return len(self.rows)

    def derived(self, key: object, compute: Callable[[], T]) -> T:
        """What `compute` makes of the rows, kept under `key` until any version changes."""
        if key not in self._derived:
            self._derived[key] = compute()
        return cast("T", self._derived[key])

    # --- learning single rows

    def learn(self, rows: Iterable[VersionRow]) -> None:
        """Take rows that this process committed, read or was notified of. Lowers none, and never renews the lease."""
        changed: list[VersionRow] = []
        for clinic_id, topic, version in rows:
            key = (clinic_id, topic)
            self._note(key, version)
            if version > self.rows.get(key, 0):
                self.rows[key] = version
                changed.append((clinic_id, topic, version))
        self._changed(changed)

    def learn_committed(self, rows: Iterable[VersionRow], timeline: str | None) -> None:
        """Take what this process committed, read after its COMMIT in the timeline with that id.

        In another timeline, which a version lower than the known one is of too, the lease ends and the rows are read.
        (Or another commit was learnt of meanwhile; then one read is superfluous.)
        """
        read = list(rows)
        self.learn(read)
        is_another = None not in (timeline, self.timeline_id) and timeline != self.timeline_id
        if is_another or any(version < self.get(clinic_id, topic) for clinic_id, topic, version in read):
            self.distrust()

    def _note(self, key: tuple[int, str], version: int) -> None:
        for learnt in self._reads:
            learnt[key] = max(version, learnt.get(key, 0))

    # --- reads of the table

    def read_started(self) -> Vector:
        """Begin to note what is learnt while a read is under way: the notes, for `read_ended` or `read_failed`."""
        learnt: Vector = {}
        self._reads.append(learnt)
        return learnt

    def read_failed(self, learnt: Vector) -> None:
        """Stop noting for a read that brought nothing. `learnt` is what `read_started` returned for it."""
        self._reads = [other for other in self._reads if other is not learnt]

    def read_ended(self, snapshot: VersionSnapshot, learnt: Vector, sent_at: float) -> None:
        """Take what a read sent at `sent_at` (boottime) brought, and renew the lease.

        The snapshot replaces what the map holds, except where something higher was learnt meanwhile (`learnt`, as
        `read_started` returned it). Not a plain replacement: a commit of this process, or another read that overtook
        this one, may be newer than the snapshot. Not a plain maximum: a restored database must be able to lower a
        version.
        """
        self.read_failed(learnt)
        if sent_at < self._another_timeline_at:
            # Its snapshot may be of the timeline that is gone, whose versions may be higher than those there are.
            self.distrust()
            return
        read = {(clinic_id, topic): version for clinic_id, topic, version in snapshot.rows}
        for key, version in read.items():
            self._note(key, version)
        read |= dict.fromkeys(snapshot.gone, 0)
        if snapshot.full:
            read |= {key: 0 for key in self.rows if key not in read}
        changed, lowered = self._replace({key: max(version, learnt.get(key, 0)) for key, version in read.items()})
        self.read_at = max(self.read_at, sent_at)
        self.clock.set(snapshot.now, sent_at)
        replaced = self._replaced(snapshot.timeline)
        if not self.is_whole or (replaced and not snapshot.full):
            self._trusted_until = NEVER
        elif sent_at >= self._distrusted_at:
            self._trusted_until = max(self._trusted_until, sent_at + times.VERSION_LEASE)
        if lowered or replaced:
            self._another_timeline_at = boottime()
            for listener in self.on_restored:
                listener()
        self._changed(changed)

    def _replace(self, versions: Vector) -> tuple[list[VersionRow], bool]:
        """(the rows that are new; whether any of them is lower than before). 0 stands for a row that is gone."""
        changed: list[VersionRow] = []
        lowered = False
        for key, version in versions.items():
            known = self.rows.get(key, 0)
            if version != known:
                lowered = lowered or version < known
                self.rows[key] = version
                changed.append((*key, version))
            if not version:
                self.rows.pop(key, None)
        return changed, lowered

    def _replaced(self, timeline: Timeline) -> bool:
        """Whether tables or triggers differ from those of the last read that was whole, or were stamped anew since."""
        if timeline.fingerprint is None:
            self._unstamped = timeline.id
        self.is_missing_stamps = timeline.is_whole and self._unstamped is not None and timeline.id == self._unstamped
        self.is_whole = timeline.is_whole and not self.is_missing_stamps
        before, self._fingerprint = self._fingerprint, timeline.fingerprint
        id_before, self.timeline_id = self.timeline_id, timeline.id or self.timeline_id
        return (before is not None and before != timeline.fingerprint) or id_before not in (None, self.timeline_id)

    def _changed(self, rows: list[VersionRow]) -> None:
        if rows:
            self.changes += 1
            self._derived.clear()
            for listener in self.on_change:
                listener(rows)
