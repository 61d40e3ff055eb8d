"""What a file says, in lines of JSON: from the process that read it to the one that serves, and back into a File.

JSON and not pickle: whoever gets the better of what reads files must not get at what serves. Rows come some at a time,
so that no line takes the event loop for long.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from core.catalogs.catalogs import CATALOGS
from core.catalogs.imports.file import CatalogSheet, File, SheetRow
from core.catalogs.imports.report import NoCatalog, SheetProblem

AT_ONCE = 100
"""Rows in a line."""
MOST_TOLD = 1000
"""Problems, and hidden or ignored things, that are told: a file may have a hundred thousand."""
LONGEST = 4 * 1024 * 1024
"""Bytes of a line."""
LONGEST_TEXT = 500
"""Characters of what is told: names of sheets and columns, and messages, may have a cell's text in them."""
BY_PLURAL = {catalog.plural: catalog for catalog in CATALOGS}


class ReadingFailed(Exception):
    """A file could not be read, by a fault of ours: of which kind and where, as the process said it."""

    def __init__(self, error: str, stack: str) -> None:
        super().__init__(error)
        self.stack = stack


def lines_of(file: File) -> Iterator[bytes]:
    """All of a file; of very many problems the first."""
    for sheet in file.sheets:
        yield _line("sheet", [_short(sheet.name), sheet.catalog.plural])
        rows = iter(sheet.rows)
        while some := [[row.number, row.values] for row in islice(rows, AT_ONCE)]:
            yield _line("rows", some)
    told = file.problems[:MOST_TOLD]
    ending = {
        "problems": [_told(one) for one in told],
        "problems_left_out": len(file.problems) - len(told),
        "ignored": _some(file.ignored),
        "hidden": _some(file.hidden),
        "encoding": file.encoding,
    }
    yield _line("end", ending)


def refusal(why: NoCatalog) -> bytes:
    """The line of a file that is none."""
    return _line("refused", [why.saying.code, _short_ones(why.saying.values)])


def failure(error: str, stack: str) -> bytes:
    """The line of a fault of ours."""
    return _line("failed", [error, stack])


class Received:
    """A File, line by line."""

    def __init__(self) -> None:
        self.file = File()
        self.is_whole = False

    def take(self, line: bytes) -> None:
        """Raises NoCatalog where the line says that the file is none, and ReadingFailed."""
        kind, said = json.loads(line)
        match kind:
            case "sheet":
                self.file.sheets.append(CatalogSheet(said[0], BY_PLURAL[said[1]]))
            case "rows":
                self.file.sheets[-1].rows += [SheetRow(number, values) for number, values in said]
            case "end":
                self.file.problems = [SheetProblem(*one) for one in said.pop("problems")]
                for name, value in said.items():
                    setattr(self.file, name, value)
                self.is_whole = True
            case "refused":
                raise NoCatalog(said[0], **said[1])
            case _:
                raise ReadingFailed(*said)


def _line(kind: str, said: Any) -> bytes:
    return json.dumps([kind, said]).encode() + b"\n"


def _told(one: SheetProblem) -> list[Any]:
    column = one.column and _short(one.column)
    return [_short(one.sheet), one.row, column, _short(one.message), one.code, _short_ones(one.values)]


def _short_ones(values: Mapping[str, str | int]) -> dict[str, str | int]:
    return {name: _short(value) if isinstance(value, str) else value for name, value in values.items()}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _some(names: list[str]) -> list[str]:
    left = len(names) - MOST_TOLD
    return [*map(_short, names[:MOST_TOLD]), *([f"and {left} more"] if left > 0 else ())]
