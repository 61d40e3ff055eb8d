"""What an import reads of a file, before any of it is compared with the database."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.catalogs.catalogs import Catalog
from core.catalogs.imports.report import NoCatalog, SheetProblem

MOST_ROWS = 10_000
"""Rows of catalogs in one file: a hospital's surgeries are some thousands."""
MOST_COLUMNS = 200
"""In which something stands."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of a sheet. `number` as a spreadsheet counts it, headings included."""

    number: int
    values: dict[str, Any]
    """By column, as far as the file has it: a text, a number, a flag, or None where blank. A specialty is a name."""


@dataclass(slots=True)
class CatalogSheet:
    """One sheet's rows, and the catalog that they are of. Rows with a bad cell are among the file's problems only."""

    name: str
    catalog: Catalog
    rows: list[SheetRow] = field(default_factory=list)


@dataclass(slots=True)
class File:
    """All of a file: what it asks for, and what is wrong in it whatever the clinic has."""

    sheets: list[CatalogSheet] = field(default_factory=list)
    problems: list[SheetProblem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    """What a spreadsheet does not show: sheets, rows and columns, by name."""
    encoding: str | None = None
    """Of text: `utf-8`, `utf-16`, `utf-32` or `windows-1252`. None of a workbook, which says its own."""
    rows: int = 0
    """Of all sheets, bad ones too."""
    problems_left_out: int = 0
    """How many more there were than `problems` has."""

    def count(self, rows: Iterable[Any]) -> Iterable[Any]:
        """The same rows. Raises NoCatalog where the file has more than MOST_ROWS."""
        for row in rows:
            self.rows += 1
            if self.rows > MOST_ROWS:
                raise NoCatalog("too_many_rows", most=MOST_ROWS)
            yield row
