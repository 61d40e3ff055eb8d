"""How a ticket's row stands in a file: which columns, in which order and language.

In English every column keeps the place and the name that it always had: programs read those. In Spanish, for people,
what came later stands beside what it belongs to. A viewer's file has no document, and age in decades.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import Any

from core.exports.columns import COLUMNS, CellKind, ExportColumn, Record, positions, values
from core.exports.job import Form, Lang

OF_DOCUMENT = frozenset({"document_type", "document", "document_verified"})
AGE = "age"

STATES = {
    "active": "Activo",
    "discharged": "Alta",
    "annulled": "Anulado",
    "scheduled": "Programado",
    "normal": "Normal",
    "warning": "Por vencer",
    "critical": "Crítico",
    "overdue": "Vencido",
}
WORDS = {
    "status": STATES,
    "state": STATES,
    "document_type": {"rut": "RUT", "passport": "Pasaporte", "other": "Otro"},
}
"""By column, what its values are called in Spanish."""


@dataclass(frozen=True, slots=True)
class Layout:
    columns: tuple[ExportColumn, ...]
    heads: tuple[str, ...]
    """What they are called in the file."""
    words: tuple[tuple[int, dict[str, str]], ...]
    """Where values are told in another word."""
    pick: Callable[[Sequence[Any]], tuple[Any, ...]]
    """Of `columns.values` this layout's."""

    def row(self, record: Record) -> list[Any]:
        """As `columns.values`, of this layout's columns."""
        row = list(self.pick(values(record)))
        for at, words in self.words:
            row[at] = words.get(row[at], row[at])
        return row

    def positions(self, *kinds: CellKind) -> tuple[int, ...]:
        return positions(*kinds, columns=self.columns)


@cache
def layout(form: Form) -> Layout:
    spanish = form.lang is Lang.ES
    places = _for_people() if spanish else list(range(len(COLUMNS)))
    if form.is_viewers:
        places = [place for place in places if COLUMNS[place].name not in OF_DOCUMENT]
    columns = tuple(_decade(COLUMNS[place]) if form.is_viewers else COLUMNS[place] for place in places)
    words = [(at, WORDS[column.name]) for at, column in enumerate(columns) if column.name in WORDS]
    return Layout(
        columns=columns,
        heads=tuple(column.title if spanish else column.name for column in columns),
        words=tuple(words) if spanish else (),
        pick=itemgetter(*places),
    )


def _for_people() -> list[int]:
    """Places of the columns; of one that came later behind the column that it names."""
    places = {column.name: place for place, column in enumerate(COLUMNS)}
    order = [column.name for column in COLUMNS if column.behind is None]
    for column in COLUMNS:
        if column.behind is not None:
            order.insert(order.index(column.behind) + 1, column.name)
    return [places[name] for name in order]


def _decade(column: ExportColumn) -> ExportColumn:
    if column.name != AGE:
        return column
    return replace(column, name="age_decade", title="Edad (década)")
