"""An xlsx file's sheets, cell by cell, with what openpyxl's own reading leaves out.

That is: whether a formula has a value at all, the escapes of characters that XML has no form for (`_x000D_`), what is
hidden, and files in the strict form of the standard, whose names of elements are others.
"""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import FORMULA_TAG, VALUE_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from core.catalogs.imports.file import MOST_COLUMNS, MOST_ROWS
from core.catalogs.imports.report import NoCatalog

STRICT = b"http://purl.oclc.org/ooxml/"
USUAL = b"http://schemas.openxmlformats.org/"
NAMES = (
    (STRICT + b"officeDocument/extendedProperties", USUAL + b"officeDocument/2006/extended-properties"),
    (STRICT + b"officeDocument/customProperties", USUAL + b"officeDocument/2006/custom-properties"),
    *((STRICT + one, USUAL + one + b"/2006") for one in (b"spreadsheetml", b"officeDocument", b"drawingml")),
)
"""Strict names of elements and relationships, and what they are called elsewhere; the longer ones first."""
OTHERS = {
    "xl/workbook.bin": "a binary workbook (xlsb)",
    "content.xml": "an OpenDocument file (ods)",
    "word/document.xml": "a text document",
    "ppt/presentation.xml": "a presentation",
    "Index/Document.iwa": "a file of Numbers",
}
"""What else is a zip archive, by a file in it."""
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
MOST_UNPACKED = 64 * 1024 * 1024
"""Bytes of all parts together. zipfile reads of each as many as its head says, and no more."""
MOST_LINES = 100_000
"""Rows of one sheet, blank ones too: some programs write all that a sheet could have."""
MOST_HIDDEN = 16_384
"""Columns that a sheet may have."""
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, InvalidFileException, SyntaxError),
    *(LookupError, ValueError, TypeError, EOFError, OSError, RuntimeError),
)
"""What zipfile and openpyxl raise for a damaged file, or one with a password."""


@dataclass(frozen=True, slots=True)
class BadValue:
    """A cell that has something, and nothing that could be read: by the code of what is said of it."""

    code: str
    shown: str = ""


@dataclass(slots=True)
class BookSheet:
    """One sheet of an xlsx file, cell by cell."""

    title: str
    is_hidden: bool
    rows: list[tuple[int, list[Any]]] = field(default_factory=list)
    """By number, from 1; rows without cells are left out."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    """From 0."""


def read_workbook(content: bytes, is_wanted: Callable[[str], bool]) -> list[BookSheet]:
    """Worksheets in their order, those that are not wanted by their title without rows. Raises NoCatalog for what is no
    workbook, or too large a one."""
    try:
        with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(content)) as archive:
            # Of features that are not read anyway: data validation, headers for print.
            warnings.simplefilter("ignore")
            names = set(archive.namelist())
            for name, what in OTHERS.items():
                if name in names:
                    raise NoCatalog("other_program", what=what)
            if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED:
                raise NoCatalog("too_large")
            reader = _Reader(_usual(archive, content), read_only=True, data_only=True)
            reader.read()
            return [_sheet(reader, sheet, is_wanted) for sheet in reader.wb.worksheets]
    except BROKEN as error:
        raise NoCatalog("damaged") from error


def unescaped(text: str) -> str:
    """`_x000D_` is the character U+000D, `_x005F_` an underscore; line ends are one character."""
    if "_x" in text:
        text = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        # Characters beyond the first plane are escaped in two halves.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _usual(archive: zipfile.ZipFile, content: bytes) -> io.BytesIO:
    """The archive, with the strict form's names translated."""
    parts = [name for name in archive.namelist() if name.endswith((".xml", ".rels"))]
    if not any(STRICT in archive.read(name) for name in parts if name.endswith("workbook.xml")):
        return io.BytesIO(content)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as translated:
        for name in parts:
            part = archive.read(name)
            for strict, usual in NAMES:
                part = part.replace(strict, usual)
            translated.writestr(name, part)
    return io.BytesIO(made.getvalue())


class _Reader(ExcelReader):
    """With the shared texts as they stand: openpyxl takes half of their escapes away."""

    def read_strings(self) -> None:
        """openpyxl's own step, done otherwise."""
        part = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
        if part is None:
            return
        with self.archive.open(part.PartName[1:]) as source:
            for _, node in iterparse(source):
                if node.tag == f"{{{SHEET_MAIN_NS}}}si":
                    text: Any = Text.from_tree(node)
                    self.shared_strings.append(text.content)
                    node.clear()


class _Parser(WorkSheetParser):
    def parse_cell(self, element: Any) -> dict[str, Any]:
        """openpyxl's own step: errors, and formulas without a value, become a BadValue."""
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["data_type"] == "e" and cell["value"] is not None:
            cell["value"] = BadValue("shows_error", str(cell["value"]))
        elif cell["value"] is None and element.find(FORMULA_TAG) is not None:
            # An empty text is a value, which a formula may well have.
            if element.get("t") != "str" or element.find(VALUE_TAG) is None:
                cell["value"] = BadValue("no_formula_value")
        elif isinstance(cell["value"], str):
            cell["value"] = unescaped(cell["value"])
        return cell


def _sheet(reader: _Reader, sheet: Any, is_wanted: Callable[[str], bool]) -> BookSheet:
    found = BookSheet(unescaped(sheet.title), sheet.sheet_state != "visible")
    if not is_wanted(found.title):
        return found
    book: Any = reader.wb
    with reader.archive.open(sheet._worksheet_path) as source:
        parser = _Parser(
            source,
            reader.shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for lines, (number, cells) in enumerate(parser.parse()):
            if lines == MOST_LINES or len(found.rows) > MOST_ROWS + 1:
                raise NoCatalog("too_large")
            # Of blank rows the first alone says something: that there are no headings.
            kept = [cell for cell in cells if cell["value"] is not None] if found.rows else cells
            if kept:
                found.rows.append((number, _placed(kept)))
    found.hidden_rows = {int(number) for number, row in parser.row_dimensions.items() if _is_hidden(row, "ht")}
    for column in parser.column_dimensions.values():
        if _is_hidden(column, "width"):
            found.hidden_columns.update(range(int(column["min"]) - 1, min(int(column["max"]), MOST_HIDDEN)))
    return found


def _placed(cells: list[dict[str, Any]]) -> list[Any]:
    width = max(cell["column"] for cell in cells)
    if width > MOST_COLUMNS:
        raise NoCatalog("too_wide", most=MOST_COLUMNS)
    row: list[Any] = [None] * width
    for cell in cells:
        row[cell["column"] - 1] = cell["value"]
    return row


def _is_hidden(attributes: dict[str, str], size: str) -> bool:
    """By name, or because it has no height or width at all."""
    return attributes.get("hidden") in ("1", "true", "on") or float(attributes.get(size, 1)) == 0


def column_letter(index: int) -> str:
    """As a spreadsheet calls it; from 0."""
    letter: str = get_column_letter(index + 1)
    return letter
