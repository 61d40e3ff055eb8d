"""Places: what this process was asked for lately, whatever the versions that it was answered under."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from core.cache.cached_read import CachedRead
from core.cache.versions.map import NEVER
from core.clock import boottime
from core.telemetry.trace import VersionRow

MOST = 1000
"""Places that are known at once."""
READ_LATELY = 60.0
"""Seconds for which one that was read counts as read."""
CLEARED_EVERY = 1.0
"""Seconds between two looks for those that nobody reads any more, at least."""


class Place:
    """One cached read that is repeated, under whatever versions, and when its next refresh may be due."""

    __slots__ = ("asked", "begun_at", "due", "is_busy", "read_at", "valid_until")

    def __init__(self, asked: CachedRead) -> None:
        self.asked = asked
        self.read_at = NEVER
        self.begun_at = NEVER
        """When its last refresh began. All are boottime, but for `valid_until`."""
        self.due: float | None = None
        """When the next one may be due."""
        self.is_busy = False
        self.valid_until: float | None = None
        """Of the last entry seen, epoch seconds on the database's clock."""

    @property
    def is_network(self) -> bool:
        return self.asked.clinic_id is None

    @property
    def is_read(self) -> bool:
        """Whether it was read lately: nothing else is refreshed."""
        return boottime() - self.read_at <= READ_LATELY

    def depends_on(self, clinic_id: int, topic: str) -> bool:
        """Whether its entry has that version in its key; clinic 0 is the network's."""
        policy = self.asked.policy
        return topic in (policy.topics if clinic_id else policy.global_topics)


class Places:
    """Bounded: where there are MOST that are read, others are not known."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, int | None, str], Place] = {}
        self._of_clinic: defaultdict[int | None, set[Place]] = defaultdict(set)
        self._cleared_at = NEVER

    def read(self, asked: CachedRead) -> Place | None:
        """The place, which was read now; None where it is not known."""
        place = self._places.get(asked.place)
        if place is None:
            if len(self._places) >= MOST:
                self._clear()
                if len(self._places) >= MOST:
                    return None
            place = self._places[asked.place] = Place(asked)
            self._of_clinic[asked.clinic_id].add(place)
        place.read_at = boottime()
        return place

    def changed(self, rows: Iterable[VersionRow]) -> Iterator[Place]:
        """Those that depend on a version that is new."""
        for clinic_id, topic, _ in rows:
            if clinic_id:
                found = self._of_clinic.get(clinic_id, set()) | self._of_clinic.get(None, set())
            else:
                found = set(self._places.values())
            yield from (place for place in found if place.depends_on(clinic_id, topic))

    def of(self, clinic_id: int | None) -> Collection[Place]:
        """Those of the clinic; None: of the network."""
        return self._of_clinic.get(clinic_id, ())

    def forget(self, place: Place) -> None:
        self._places.pop(place.asked.place, None)
        self._of_clinic[place.asked.clinic_id].discard(place)
        place.due = None

    def _clear(self) -> None:
        now = boottime()
        if now - self._cleared_at > CLEARED_EVERY:
            self._cleared_at = now
            for place in self:
                if not place.is_read:
                    self.forget(place)

    def __iter__(self) -> Iterator[Place]:
        return iter([*self._places.values()])
