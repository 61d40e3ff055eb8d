"""A file's rows as they stand, from xlsx or csv: cells by heading, nothing checked but that there is one."""

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from core.imports.catalog.kinds import KINDS, Column, SheetKind, kind_called, word
from core.imports.catalog.report import NoCatalog, Problem

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = ",;\t"
KIND = "kind"


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    cells: dict[str, Any]
    """By column, as far as the file has it; None where blank."""


@dataclass(slots=True)
class Sheet:
    name: str
    kind: SheetKind
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class File:
    sheets: list[Sheet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """What a spreadsheet shows where a formula failed, such as #N/A."""

    shown: str


def read_file(path: Path) -> File:
    """Raises NoCatalog, and OSError."""
    content = path.read_bytes()
    if content.startswith(ZIP):
        return _xlsx(content)
    if content.startswith(OLD_EXCEL):
        raise NoCatalog(f"{path.name} is of an old Excel, or encrypted: save it as xlsx, without a password.")
    return _csv(content, path)


def _xlsx(content: bytes) -> File:
    file = File()
    try:
        with warnings.catch_warnings():
            # Of features that are not read anyway: data validation, headers for print.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            for sheet in book.worksheets:
                kind = kind_called(sheet.title)
                if kind is None:
                    file.ignored.append(sheet.title)
                    continue
                # Some programs write a size that is not the sheet's.
                sheet.reset_dimensions()
                cells = ([_value(cell) for cell in row] for row in sheet.iter_rows())
                _add(file, sheet.title, kind, cells)
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError, EOFError) as error:
        raise NoCatalog("This is no xlsx file, or a damaged one.") from error
    if not file.sheets and not file.problems:
        names = ", ".join(kind.name for kind in KINDS)
        raise NoCatalog(f"No sheet is called {names}.")
    return file


def _value(cell: Any) -> Any:
    return ErrorCell(str(cell.value)) if cell.data_type == "e" else cell.value


def _csv(content: bytes, path: Path) -> File:
    text = _decoded(content, path)
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        rows: list[Sequence[Any]] = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise NoCatalog(f"{path.name} is no csv file: {error}.") from error
    headings = [word(cell) for cell in rows[0]] if rows else []
    file = File()
    if KIND in headings:
        _mixed(file, path.name, rows, headings.index(KIND))
        return file
    kind = kind_called(path.stem) or _told_by(headings)
    if kind is None:
        raise NoCatalog(f"{path.name} does not tell what it holds: call it surgeries.csv, or give it a column kind.")
    _add(file, path.name, kind, rows)
    return file


def _decoded(content: bytes, path: Path) -> str:
    encodings = ("utf-16",) if content.startswith(UTF_16) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NoCatalog(f"{path.name} is neither xlsx nor text in UTF-8 or Windows-1252.")


def _told_by(headings: Iterable[str]) -> SheetKind | None:
    """The kind that alone has one of these columns; a name and no more is a specialty."""
    given = [heading for heading in headings if heading]
    for kind in KINDS:
        columns = {column.name for heading in given if (column := kind.column(heading))}
        if columns & kind.telling:
            return kind
    return next((kind for kind in KINDS[:1] if all(kind.column(heading) for heading in given) and given), None)


def _mixed(file: File, name: str, rows: Sequence[Sequence[Any]], place: int) -> None:
    """A csv file of several kinds: a row's kind says which of the columns it has."""
    headings = [cell for index, cell in enumerate(rows[0]) if index != place]
    apart: dict[str, list[tuple[int, Sequence[Any]]]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(map(_filled, row)):
            continue
        kind = kind_called(row[place]) if place < len(row) else None
        if kind is None:
            file.problems.append(Problem(name, number, KIND, f"must be one of {', '.join(one.name for one in KINDS)}"))
            continue
        apart.setdefault(kind.name, []).append((number, [cell for index, cell in enumerate(row) if index != place]))
    anywhere = {word(heading) for heading in headings if _filled(heading)}
    unknown = [heading for heading in anywhere if not any(kind.column(heading) for kind in KINDS)]
    file.problems += [Problem(name, 1, heading, "is no column of any kind") for heading in unknown]
    for kind in KINDS:
        numbered = apart.get(kind.name)
        if numbered:
            columns = _columns(file, name, kind, headings, strict=False)
            file.sheets.append(Sheet(name, kind, list(_rows(file, name, columns, numbered))))


def _add(file: File, name: str, kind: SheetKind, rows: Iterable[Sequence[Any]]) -> None:
    numbered = enumerate(rows, start=1)
    _, headings = next(numbered, (1, ()))
    columns = _columns(file, name, kind, headings, strict=True)
    file.sheets.append(Sheet(name, kind, list(_rows(file, name, columns, numbered))))


def _columns(file: File, name: str, kind: SheetKind, headings: Sequence[Any], *, strict: bool) -> list[Column | None]:
    """What each place of a row holds. `strict`: every heading must be one of the kind's columns."""
    columns: list[Column | None] = []
    for heading in headings:
        column = kind.column(heading) if _filled(heading) else None
        if column is None and _filled(heading) and strict:
            file.problems.append(Problem(name, 1, str(heading), f"is no column of {kind.name}"))
        if column is not None and column in columns:
            file.problems.append(Problem(name, 1, str(heading), "is there twice"))
            column = None
        columns.append(column)
    for column in kind.columns:
        if column.required and column not in columns:
            file.problems.append(Problem(name, 1, column.name, "is missing"))
    return columns


def _rows(
    file: File, name: str, columns: Sequence[Column | None], numbered: Iterable[tuple[int, Sequence[Any]]]
) -> Iterator[Row]:
    for number, cells in numbered:
        if not any(map(_filled, cells)):
            continue
        if any(map(_filled, cells[len(columns) :])):
            file.problems.append(Problem(name, number, None, "has more cells than there are headings"))
        given = {
            column.name: value if _filled(value) else None
            for column, value in zip(columns, [*cells, *[None] * len(columns)], strict=False)
            if column is not None
        }
        yield Row(number, given)


def _filled(value: Any) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))
