"""What the clients of one clinic, or of the network, are told: the newest change of each topic, numbered.

No client has a queue. It knows the number of the last change that it was told, and is given what is newer: of each
topic one at most, however long it was not listening. Changes are encoded once for all clients.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from core.cache.versions.vector import Vector
from core.events import text

if TYPE_CHECKING:
    from core.events.stream import Stream

TOPICS = ("tickets", "figures", "catalogs", "clinics")
AT_ONCE = 100
"""Versions in one piece of a stream: some 10 KB."""
Name = tuple[int, str]
Item = Callable[[Name, int], bytes]
"""Gives a version as JSON."""


class News(NamedTuple):
    text: bytes
    number: int
    """Of the last change in it."""
    changes: int
    coalesced: int
    """Changes that a newer one of the same topic has replaced before this client was told of them."""


class Feed:
    def __init__(self, clinic_id: int | None, name: str) -> None:
        """`clinic_id` None: the network. `name`: of this process's events, for `id:`."""
        self.clinic_id = clinic_id
        self.number = 0
        """Of the newest change."""
        self.streams: set[Stream] = set()
        self._name = name
        self._changes: OrderedDict[Name, tuple[int, bytes]] = OrderedDict()
        """The newest of each topic: (its number, its event), the newest last."""
        self._made: dict[int, News] = {}
        """Number of the last change that a client knows → what it is told."""

    def add(self, name: Name, made: bytes) -> None:
        """A change; `made` is its version as JSON."""
        self.number += 1
        self._changes[name] = (self.number, text.change(self._name, self.number, made))
        self._changes.move_to_end(name)
        self._made.clear()

    def since(self, number: int) -> News | None:
        """What a client is told that knows the changes up to `number`, AT_ONCE of them at most; None: nothing."""
        if number == self.number:
            return None
        if number not in self._made:
            self._made[number] = self._since(number)
        return self._made[number]

    def _since(self, number: int) -> News:
        newer: list[tuple[int, bytes]] = []
        for change in reversed(self._changes.values()):
            if change[0] <= number:
                break
            newer.append(change)
        told = newer[::-1][:AT_ONCE]
        reached = told[-1][0]
        return News(b"".join(event for _, event in told), reached, len(told), reached - number - len(told))

    def names(self, rows: Vector) -> list[Name]:
        """Those of all `rows` that its clients may know, in their order."""
        if self.clinic_id is None:
            return sorted(name for name in rows if name[1] in TOPICS)
        own = ((clinic_id, topic) for clinic_id in (0, self.clinic_id) for topic in TOPICS)
        return [name for name in own if name in rows]
