"""What happened, as it was seen from outside: writes, reads and faults, all timed on one clock (boottime, seconds).

What is written and read are registers (registers.py).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Write:
    register: str
    word: str
    sent: float
    ended: float
    outcome: str
    """`done`; `unknown`, where no answer came, or one that cannot tell; `rolled back`."""
    how: str


@dataclass(frozen=True, slots=True)
class Restore:
    """The database is put back to its backup, or a part of it. Nobody writes meanwhile."""

    began: float
    ended: float
    registers: Sequence[str] | None = None
    """Which are again what they were at first; None: all."""


@dataclass(frozen=True, slots=True)
class Read:
    register: str
    word: str | None
    """None where no value was answered."""
    sent: float
    ended: float
    kind: str
    """`plain`; `own`, by the process that has just written; `required`, with the write's Cache-Version; `told`, with
    one that an event stream told."""
    process: int
    outcome: str
    """hit, miss or stale, as Cache-Status tells; `304`; or an error: `503`, `connection`, `timeout`, another status."""
    age: float = 0.0
    """Of a stale answer: seconds, as its Age tells."""


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    began: float
    mended: float


@dataclass(frozen=True, slots=True)
class Silence:
    """A process that was neither stopped nor killed did not answer `/livez` in time."""

    process: int
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Untold:
    """A client that follows a process's events was not told in time what it had to know of a register."""

    process: int
    register: str
    began: float
    ended: float
    why: str


Event: TypeAlias = Write | Restore | Read | Fault | Silence | Untold
KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in (Write, Restore, Read, Fault, Silence, Untold)}


@dataclass
class History:
    """All events of one run. It can be judged at any moment: what has begun is in it, for readers may see it early."""

    ended: list[Event] = field(default_factory=list)
    _under_way: dict[int, Write | Restore] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = count()

    def add(self, event: Event) -> None:
        self.ended.append(event)

    @contextmanager
    def begun(self, event: Write | Restore) -> Iterator[None]:
        """Until its end is added, `event` stands for it, with an end of `inf`; for good, where no end is."""
        number = next(self._numbers)
        self._under_way[number] = event
        yield
        del self._under_way[number]

    @property
    def events(self) -> list[Event]:
        return [*self.ended, *self._under_way.values()]


def save(events: Iterable[Event], path: Path, *, first: Mapping[str, str], seed: int) -> None:
    """One line of JSON each, for `check`."""
    with path.open("w") as file:
        file.write(json.dumps({"first": first, "seed": seed}) + "\n")
        for event in events:
            file.write(json.dumps({"event": type(event).__name__} | asdict(event)) + "\n")


def load(path: Path) -> tuple[list[Event], dict[str, str]]:
    """(events, the word that each register began with)."""
    with path.open() as file:
        first: dict[str, str] = json.loads(file.readline())["first"]
        return list(_events(file)), first


def _events(lines: Iterable[str]) -> Iterator[Event]:
    for line in lines:
        fields = json.loads(line)
        yield KINDS[fields.pop("event")](**fields)
