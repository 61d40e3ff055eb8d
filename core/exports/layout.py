"""How a ticket's row stands in a file: which columns, in which order and language.

In English every column keeps the place and the name that it always had: programs read those. In Spanish, for people,
what came later stands beside what it belongs to. A viewer's file has no document, and age in decades.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import Any, TypeAlias

from core.exports.columns import COLUMNS, CellKind, ExportColumn, Record, positions, values
from core.exports.job import Form, Lang

Words: TypeAlias = dict[Any, str]

OF_DOCUMENT = frozenset({"document_type", "document", "document_verified"})
AGE = "age"
DECADE = ExportColumn("age_decade", "Edad (década)", CellKind.NUMBER, 9)
"""In place of AGE: 40 of whoever is 40 to 49."""

FLAGS: Words = {False: "no", True: "sí"}
STATES: Words = {
    "active": "Activo",
    "discharged": "Alta",
    "annulled": "Anulado",
    "scheduled": "Programado",
    "normal": "Normal",
    "warning": "Por vencer",
    "critical": "Crítico",
    "overdue": "Vencido",
}
WORDS: dict[str, Words] = {
    "status": STATES,
    "state": STATES,
    "document_type": {"rut": "RUT", "passport": "Pasaporte", "other": "Otro"},
}
"""By column, what its values are called in Spanish; those of flags are FLAGS."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a file has, in which order and under which names."""

    columns: tuple[ExportColumn, ...]
    heads: tuple[str, ...]
    """What they are called in the file."""
    words: tuple[tuple[int, Words], ...]
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
    """The layout of a file in this form."""
    places = _for_people() if form.lang is Lang.ES else list(range(len(COLUMNS)))
    if form.is_viewers:
        places = [place for place in places if COLUMNS[place].name not in OF_DOCUMENT]
    columns = [COLUMNS[place] for place in places]
    if form.is_viewers:
        columns[[column.name for column in columns].index(AGE)] = DECADE
    heads, words = [column.name for column in columns], {}
    if form.lang is Lang.ES:
        heads = [column.title for column in columns]
        words = {at: FLAGS if one.kind is CellKind.FLAG else WORDS.get(one.name) for at, one in enumerate(columns)}
        columns = [replace(one, kind=CellKind.TEXT) if one.kind is CellKind.FLAG else one for one in columns]
    told = tuple((at, called) for at, called in words.items() if called is not None)
    return Layout(tuple(columns), tuple(heads), told, itemgetter(*places))


def _for_people() -> list[int]:
    """Places of the columns; of one that came later behind the column that it names."""
    places = {column.name: place for place, column in enumerate(COLUMNS)}
    order = [column.name for column in COLUMNS if column.behind is None]
    for column in COLUMNS:
        if column.behind is not None:
            order.insert(order.index(column.behind) + 1, column.name)
    return [places[name] for name in order]
