"""What an import did, table by table, and each row that was repaired, kept with a flaw, or refused.

Rows are named by their ids in the old application: a report is mailed around, and must not carry patients. The one
exception is `apart`, which somebody has to decide by names: the operator's terminal shows it, and no file or log.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

EXAMPLES = 10
"""Ids that the text shows of each finding; `findings` has them all."""


class Outcome(StrEnum):
    TAKEN = "taken over"
    REPAIRED = "repaired"
    KEPT = "kept as it is"
    REFUSED = "refused"


@dataclass(slots=True)
class TableCounts:
    """Of one table of the source: `read` is the sum of the others."""

    read: int = 0
    imported: int = 0
    present: int = 0
    """There already: of an earlier run, or the same in the target."""
    merged: int = 0
    """Several rows there are one here."""
    refused: int = 0


@dataclass(frozen=True, slots=True)
class RowFinding:
    """What became of one row of the source, by its id there."""

    outcome: Outcome
    table: str
    legacy_id: str
    what: str


@dataclass(slots=True)
class Report:
    """What an import of the old application's data did and left, for people by `str`."""

    tables: dict[str, TableCounts] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    """Of the whole: what the source lacks, or has beyond what is known."""
    apart: list[str] = field(default_factory=list)
    """People who share a document there, by name, and are not made one here."""
    seconds: float = 0.0
    _found: dict[tuple[Outcome, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def of(self, table: str) -> TableCounts:
        """The counts of one table of the source, to be added to."""
        return self.tables.setdefault(table, TableCounts())

    @property
    def imported(self) -> int:
        """Rows of all tables."""
        return sum(counts.imported for counts in self.tables.values())

    def repaired(self, table: str, legacy_id: object, what: str) -> None:
        """Note that a row was imported with something put right."""
        self._found[Outcome.REPAIRED, table, what].append(str(legacy_id))

    def kept(self, table: str, legacy_id: object, what: str) -> None:
        """Note that a row was imported with a flaw, as it is, for people to look at."""
        self._found[Outcome.KEPT, table, what].append(str(legacy_id))

    def taken(self, table: str, legacy_id: object, why: str) -> None:
        """Note that a row of an earlier import was brought to what it is in the source by now."""
        self._found[Outcome.TAKEN, table, why].append(str(legacy_id))

    @property
    def taken_over(self) -> int:
        """Rows of earlier imports that were brought to what they are in the source by now."""
        return sum(len(ids) for (outcome, _, _), ids in self._found.items() if outcome is Outcome.TAKEN)

    def refused(self, table: str, legacy_id: object, why: str) -> None:
        """Note that a row was not imported, and count it."""
        self.of(table).refused += 1
        self.lost(table, legacy_id, why)

    def lost(self, table: str, legacy_id: object, why: str) -> None:
        """Note that something of a row was not imported, though the row itself may have been."""
        self._found[Outcome.REFUSED, table, why].append(str(legacy_id))

    def count(self, outcome: Outcome, table: str, what: str) -> int:
        """Rows of which this was found."""
        return len(self._found.get((outcome, table, what), ()))

    def findings(self) -> Iterator[RowFinding]:
        """Every finding, a row each."""
        for (outcome, table, what), ids in self._found.items():
            for legacy_id in ids:
                yield RowFinding(outcome, table, legacy_id, what)

    def __str__(self) -> str:
        lines = [f"{self.imported:,} rows imported in {self.seconds:.1f} s.", "", *self._table()]
        for outcome in Outcome:
            found = [(table, what, ids) for (kind, table, what), ids in self._found.items() if kind is outcome]
            if found:
                lines += ["", f"{outcome.capitalize()}:", *(_line(*one) for one in found)]
        if self.apart:
            lines += ["", "Not made one, for their names differ (names of patients: not to be passed on):"]
            lines += [f"  {one}" for one in self.apart]
        if self.remarks:
            lines += ["", *self.remarks]
        return "\n".join(lines)

    def _table(self) -> Iterator[str]:
        names = ("read", "imported", "present", "merged", "refused")
        yield f"{'':20}" + "".join(f"{name:>12}" for name in names)
        for table, counts in self.tables.items():
            yield f"{table:20}" + "".join(f"{getattr(counts, name):>12,}" for name in names)


def _line(table: str, what: str, ids: list[str]) -> str:
    shown = ", ".join(ids[:EXAMPLES])
    more = f" and {len(ids) - EXAMPLES:,} more" if len(ids) > EXAMPLES else ""
    return f"  {len(ids):>9,}  {table}: {what} ({shown}{more})"
