"""What a file says, from xlsx or csv: its rows by heading, each cell as what its column holds.

What is in it is somebody else's, and may be meant to do harm: how much is read is bounded here and in workbook.py, how
long it may take by whoever reads what came over the network (child/).
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from core.catalogs.catalogs import CATALOGS, Catalog
from core.catalogs.columns import Column
from core.catalogs.imports.cells import BadCell, catalog_called, column_called, reader_of, word
from core.catalogs.imports.decoding import NAMES, encoding_of
from core.catalogs.imports.file import MOST_COLUMNS, CatalogSheet, File, SheetRow
from core.catalogs.imports.report import NoCatalog, SheetProblem
from core.catalogs.imports.saying import saying
from core.catalogs.imports.workbook import BadValue, BookSheet, column_letter, read_workbook
from core.text import clean

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
DELIMITERS = ",;\t"
SEPARATOR = re.compile(r'"?sep=([^\w\s"]|\t)"?\r?\n', re.IGNORECASE)
"""The line by which Excel lets a csv file say what separates its cells."""
KIND = "kind"


UNNAMED = "The file"


def read_path(path: Path) -> File:
    """What an xlsx or csv file holds. Raises NoCatalog for what is neither, and OSError."""
    return read_file(path.read_bytes(), path.name)


def read_file(content: bytes, name: str = "") -> File:
    """What an xlsx or csv file holds; its `name` is what a csv file may be known by. Raises NoCatalog for what is
    neither."""
    called = name or UNNAMED
    if not content:
        raise NoCatalog("empty", name=called)
    if content.startswith(ZIP):
        return _xlsx(content)
    if content.startswith(OLD_EXCEL):
        raise NoCatalog("old_excel", name=called)
    encoding = encoding_of(content, called)
    file = _csv(content.decode(encoding), called, PurePath(name).stem)
    file.encoding = NAMES.get(encoding, encoding)
    return file


def _xlsx(content: bytes) -> File:
    file = File()
    for sheet in read_workbook(content, lambda title: catalog_called(title) is not None):
        catalog = catalog_called(sheet.title)
        if catalog is None:
            file.ignored.append(sheet.title)
            continue
        if sheet.is_hidden:
            file.hidden.append(f"sheet {sheet.title}")
        _add(file, sheet.title, catalog, sheet.rows, sheet)
    if not file.sheets and not file.problems:
        names = ", ".join(catalog.plural for catalog in CATALOGS)
        raise NoCatalog("no_sheet", kinds=names)
    return file


def _csv(text: str, called: str, stem: str) -> File:
    if text.lstrip().startswith("<"):
        raise NoCatalog("markup", name=called)
    delimiter, text = _delimiter(text)
    try:
        rows: list[Sequence[Any]] = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise NoCatalog("no_csv", name=called, error=str(error)) from error
    if max(map(len, rows), default=0) > MOST_COLUMNS:
        raise NoCatalog("too_wide", most=MOST_COLUMNS)
    headings = [word(cell) for cell in rows[0]] if rows else []
    file = File()
    if KIND in headings:
        _mixed(file, called, rows, headings.index(KIND))
        return file
    catalog = catalog_called(stem) or _known_by(headings)
    if catalog is None:
        raise NoCatalog("kind_untold", name=called)
    _add(file, called, catalog, enumerate(rows, start=1))
    return file


def _delimiter(text: str) -> tuple[str, str]:
    """What separates cells, and the text without the line that says so, which spreadsheets do not count as a row."""
    said = SEPARATOR.match(text)
    if said is not None:
        return said[1], text[said.end() :]
    first = text.split("\n", 1)[0]
    return max(DELIMITERS, key=first.count), text


def _known_by(headings: Iterable[str]) -> Catalog | None:
    """The catalog that alone has one of these columns; a name and no more is a specialty."""
    given = [heading for heading in headings if heading]
    for catalog in CATALOGS:
        columns = {column.name for heading in given if (column := column_called(catalog, heading))}
        if columns & catalog.telling:
            return catalog
    first = CATALOGS[0]
    return first if given and all(column_called(first, heading) for heading in given) else None


def _mixed(file: File, name: str, rows: Sequence[Sequence[Any]], place: int) -> None:
    """A csv file of several kinds: a row's kind says which of the columns it has."""
    headings = [cell for index, cell in enumerate(rows[0]) if index != place]
    apart: dict[str, list[tuple[int, Sequence[Any]]]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(map(_filled, row)):
            continue
        catalog = catalog_called(row[place]) if place < len(row) else None
        if catalog is None:
            names = ", ".join(one.plural for one in CATALOGS)
            file.problems.append(SheetProblem.said(name, number, KIND, saying("no_kind", kinds=names)))
            continue
        cells = [cell for index, cell in enumerate(row) if index != place]
        apart.setdefault(catalog.plural, []).append((number, cells))
    anywhere = {word(heading) for heading in headings if _filled(heading)}
    unknown = [heading for heading in anywhere if not any(column_called(catalog, heading) for catalog in CATALOGS)]
    file.problems += [SheetProblem.said(name, 1, heading, saying("unknown_everywhere")) for heading in unknown]
    for catalog in CATALOGS:
        numbered = apart.get(catalog.plural)
        if numbered:
            columns = _columns(file, name, catalog, headings, strict=False)
            file.sheets.append(CatalogSheet(name, catalog, list(_rows(file, name, catalog, columns, numbered))))


def _add(
    file: File,
    name: str,
    catalog: Catalog,
    numbered: Iterable[tuple[int, Sequence[Any]]],
    book: BookSheet | None = None,
) -> None:
    """`book` knows what of it is hidden."""
    rows = iter(numbered)
    number, headings = next(rows, (1, ()))
    if number > 1:
        # The first row is blank, and what comes later has no headings.
        rows, headings = chain([(number, headings)], rows), ()
    columns = _columns(file, name, catalog, headings, strict=True)
    sheet = CatalogSheet(name, catalog, list(_rows(file, name, catalog, columns, rows)))
    file.sheets.append(sheet)
    if book is not None:
        hidden = [row.number for row in sheet.rows if row.number in book.hidden_rows]
        file.hidden += [f"{name}, row {run}" for run in _runs(hidden)]
        file.hidden += [
            f"{name}, column {column_letter(place)} ({column.name})"
            for place, column in enumerate(columns)
            if column is not None and place in book.hidden_columns
        ]


def _runs(numbers: Iterable[int]) -> list[str]:
    """Of numbers in order: `3`, or `3 to 7` where they follow each other."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]


def _columns(file: File, name: str, catalog: Catalog, headings: Sequence[Any], *, strict: bool) -> list[Column | None]:
    """What each place of a row holds. `strict`: every heading must be one of the catalog's columns."""
    columns: list[Column | None] = []
    for place, heading in enumerate(headings):
        if isinstance(heading, BadValue):
            file.problems.append(SheetProblem.said(name, 1, f"column {column_letter(place)}", _of(heading).saying))
            columns.append(None)
            continue
        column = column_called(catalog, heading) if _filled(heading) else None
        if column is None and _filled(heading) and strict:
            file.problems.append(
                SheetProblem.said(name, 1, str(heading), saying("unknown_column", kind=catalog.plural))
            )
        if column is not None and column in columns:
            file.problems.append(SheetProblem.said(name, 1, str(heading), saying("twice")))
            column = None
        columns.append(column)
    for column in catalog.columns:
        if column.required and column not in columns:
            file.problems.append(SheetProblem.said(name, 1, column.name, saying("missing")))
    return columns


def _rows(
    file: File,
    name: str,
    catalog: Catalog,
    columns: Sequence[Column | None],
    numbered: Iterable[tuple[int, Sequence[Any]]],
) -> Iterator[SheetRow]:
    for number, cells in file.count((number, cells) for number, cells in numbered if any(map(_filled, cells))):
        if any(map(_filled, cells[len(columns) :])):
            file.problems.append(SheetProblem.said(name, number, None, saying("cells_without_heading")))
        given = {
            column.name: value if _filled(value) else None
            for column, value in zip(columns, [*cells, *[None] * len(columns)], strict=False)
            if column is not None
        }
        values = _values(file, name, catalog, number, given)
        if values is not None:
            yield SheetRow(number, values)


def _values(file: File, name: str, catalog: Catalog, number: int, given: dict[str, Any]) -> dict[str, Any] | None:
    """What the row says; None where a cell is wrong."""
    values, wrong = {}, False
    for column in catalog.columns:
        if column.name not in given:
            wrong = wrong or column.required
            continue
        try:
            value = _read(column, given[column.name])
        except BadCell as bad:
            file.problems.append(SheetProblem.said(name, number, column.name, bad.saying))
            wrong = True
            continue
        if value is not None or column.nullable:
            values[column.name] = value
    return None if wrong else values


def _read(column: Column, value: Any) -> Any:
    if isinstance(value, BadValue):
        raise _of(value)
    if value is None:
        if column.required:
            raise BadCell("missing")
        return None
    return reader_of(column)(value)


def _of(value: BadValue) -> BadCell:
    return BadCell(value.code, shown=value.shown)


def _filled(value: Any) -> bool:
    return value is not None and (not isinstance(value, str) or bool(clean(value)))
