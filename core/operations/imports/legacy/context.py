"""What one run of the import knows. Each table fills in its own, and reports what became of its rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from core.db.bulk_copy import Connection, copy, reserve
from core.operations.imports.legacy.memory import Memory
from core.operations.imports.legacy.report import Report
from core.operations.imports.legacy.source import Source
from core.operations.imports.legacy.values import text
from core.text import folded

AHEAD = 100
"""Ids that are reserved at a time."""
alike = lru_cache(maxsize=10_000)(folded)
"""The form in which catalogs tell two names apart, here and in the database (`folded_text`). The same names come again
and again."""


@dataclass(frozen=True, slots=True)
class ClinicHere:
    id: int
    legacy_id: int
    prefix: str
    local: ZoneInfo


@dataclass(frozen=True, slots=True)
class SurgeryHere:
    id: int
    clinic_id: int
    name: str
    hours: int


class Folding:
    """Lower case as the target's own unique indexes of clinics and users see it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, str] = {}

    async def learn(self, texts: Iterable[str | None]) -> None:
        """Ask the target for these texts' lower case, in one statement."""
        wanted = list({text for text in texts if text} - self._known.keys())
        rows = await self._connection.fetch("SELECT t, lower(t) AS folded FROM unnest($1::text[]) AS t", wanted)
        self._known.update((row["t"], row["folded"]) for row in rows)

    def __call__(self, text: str) -> str:
        found = self._known.get(text)
        return text.lower() if found is None else found


class Newcomers:
    """Rows of one table that are on their way, with ids by which others can point at them already."""

    def __init__(self, connection: Connection, table: str, columns: str) -> None:
        self._connection = connection
        self._table = table
        self._columns = ["id", *columns.split()]
        self._ids: list[int] = []
        self._rows: list[tuple[Any, ...]] = []

    async def add(self, *values: Any) -> int:
        """The new row's id. Values are those of the columns, in their order."""
        if not self._ids:
            self._ids = (await reserve(self._connection, self._table, AHEAD))[::-1]
        given = self._ids.pop()
        self._rows.append((given, *values))
        return given

    async def store(self) -> None:
        """Copy all rows that were added since the last time."""
        rows, self._rows = self._rows, []
        await copy(self._connection, self._table, self._columns, rows)


@dataclass(slots=True)
class Run:
    """What all steps of one import of the old application's data have in common."""

    source: Source
    target: Connection
    report: Report
    memory: Memory
    fold: Folding
    now: datetime
    """The target's clock."""
    overdue_before: datetime | None
    """Active tickets whose FPA is before it count as discharged."""
    advance: Callable[[int], None]
    """Called with the number of the source's rows that were just dealt with."""

    clinics: dict[int, ClinicHere] = field(default_factory=dict)
    users: dict[int, int] = field(default_factory=dict)
    usernames: dict[int, str] = field(default_factory=dict)
    """As they were there."""
    users_by_name: dict[str, int] = field(default_factory=dict)
    """By user name and email, as written and in lower case."""
    specialties: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Clinic and id here."""
    surgeries: dict[int, SurgeryHere] = field(default_factory=dict)
    surgeries_by_name: dict[tuple[int, str], SurgeryHere] = field(default_factory=dict)
    doctors: dict[int, tuple[int, int]] = field(default_factory=dict)
    doctors_by_name: dict[tuple[int, str], int] = field(default_factory=dict)
    doctor_names: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, int] = field(default_factory=dict)
    modification_reasons: dict[tuple[int, str], int] = field(default_factory=dict)
    patients: dict[tuple[int, int], int] = field(default_factory=dict)
    """By id there and clinic here: a person may be a patient of two clinics."""
    patient_homes: dict[int, int] = field(default_factory=dict)
    """The clinic here of each patient there, of the first of several."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Tickets whose id was none."""
    ticket_clinics: dict[str, int] = field(default_factory=dict)
    """Of each ticket there, the clinic here."""
    user_clinics: dict[int, int] = field(default_factory=dict)
    """Of users there who have one, the clinic here."""
    reason_clinics: dict[int, int] = field(default_factory=dict)
    tickets_present: set[str] = field(default_factory=set)
    tickets_taken: set[str] = field(default_factory=set)
    """Of those present, which this run took over as they are there now."""
    tickets_apart: set[str] = field(default_factory=set)
    """Of those present, which changed on both sides."""
    tickets_refused: set[str] = field(default_factory=set)
    to_assume: list[str] = field(default_factory=list)
    """Tickets of an earlier run, by id here, that would come as discharged in this one."""
    assumed: int = 0
    """Tickets that count as discharged."""
    assumed_later: int = 0
    """Those of them that an earlier run brought."""

    def user(self, named: Any) -> tuple[str | None, int | None]:
        """Name and id here of who did something: an id there, or a user name."""
        if named is None:
            return None, None
        if isinstance(named, int):
            return self.usernames.get(named), self.users.get(named)
        name = text(named)
        if name is None:
            return None, None
        return name, self.users_by_name.get(name) or self.users_by_name.get(name.lower())

    def repaired(self, table: str, legacy_id: object, notes: Iterable[str]) -> None:
        """Report what was changed about a new row, each kind of change once however many columns it concerned.

        Not of rows that an earlier run brought: that run reported theirs.
        """
        for what in dict.fromkeys(notes):
            self.report.repaired(table, legacy_id, what)
