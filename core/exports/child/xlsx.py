"""xlsx, by XlsxWriter in its constant_memory mode: rows go to a temporary file as they come.

Texts are written as texts, which no spreadsheet takes for formulas; times are Excel's own, clinic-local. A sheet ends
where Excel's do, and another begins.
"""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from math import ceil
from pathlib import Path
from typing import IO, Any

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it has no annotations
from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]  # likewise

from core.exports.child.batches import batches, connect
from core.exports.child.scratch import on_disk
from core.exports.child.sheet import QuickWorksheet
from core.exports.columns import CellKind, Record
from core.exports.job import Form, Job, Lang
from core.exports.layout import layout

MOST_ROWS = 1_048_575
"""Below the header."""
SHEET = "Tickets"
HEAD = 48
"""Points: three lines, on which a long heading stands over a narrow column."""
LINE = 15
"""Points, of any other row."""
MOST_LINES = 25
"""Of a row: Excel's are no higher."""
ROOM = 4
"""Characters of a line that wrapping leaves empty."""
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
TIMES = {Lang.ES: "dd-mm-yyyy hh:mm", Lang.EN: "yyyy-mm-dd hh:mm"}
EPOCH = 693_594
"""`date.toordinal()` of Excel's day 0."""


async def write_tickets(job: Job, to: IO[bytes], folder: Path, *, most_rows: int = MOST_ROWS) -> int:
    """How many tickets were written. `folder` holds what is not yet done: some two kilobytes a ticket, and as
    much again while it is packed. Raises NoRoom where it cannot hold that."""
    if job.tickets is None:
        raise ValueError("no tickets are asked for")
    path = folder / "tickets.xlsx"
    connection = await connect(job)
    try:
        with on_disk():
            book = Book(path, folder, most_rows, job.form)
        async for found in batches(connection, job.tickets, ahead=True):
            with on_disk():
                for record in found:
                    book.add(record)
        with on_disk():
            book.close()
    finally:
        connection.terminate()
    with on_disk(), path.open("rb") as made:
        shutil.copyfileobj(made, to, 256 * 1024)
        to.flush()
    return book.written


class Book:
    """A workbook that grows by rows; `close` completes it."""

    def __init__(self, path: Path, folder: Path, most_rows: int, form: Form) -> None:
        self._layout = layout(form)
        self._numbers = self._layout.positions(CellKind.NUMBER)
        self._times = self._layout.positions(CellKind.TIME)
        self._flags = self._layout.positions(CellKind.FLAG)
        self._book = Workbook(str(path), {**OPTIONS, "tmpdir": str(folder)})
        self._head = self._book.add_format(
            {"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True, "valign": "vcenter"}
        )
        self._time = self._book.add_format({"num_format": TIMES[form.lang]})
        wrapped = self._book.add_format({"text_wrap": True})
        texts = self._layout.positions(CellKind.TEXT, CellKind.BLOCK)
        self._texts = [(at, wrapped if self._layout.columns[at].wraps else None) for at in texts]
        self._wrapping = [(at, column.width) for at, column in enumerate(self._layout.columns) if column.wraps]
        self._most = most_rows
        self._sheets = 0
        self._row = 0
        self.written = 0
        self._begin()

    def close(self) -> None:
        """Complete the file. Raises OSError."""
        self._end()
        try:
            self._book.close()
        except FileCreateError as error:
            # XlsxWriter's word for an OSError.
            raise (
                error.args[0] if error.args and isinstance(error.args[0], OSError) else OSError(str(error))
            ) from error

    def _begin(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet(
            SHEET if self._sheets == 1 else f"{SHEET} {self._sheets}", QuickWorksheet
        )
        for at, column in enumerate(self._layout.columns):
            self._sheet.set_column(at, at, column.width)
        self._sheet.set_row(0, HEAD)
        self._sheet.set_landscape()
        self._sheet.repeat_rows(0)
        self._sheet.repeat_columns(0)
        self._sheet.freeze_panes(1, 1)
        for at, head in enumerate(self._layout.heads):
            self._sheet.write_string(0, at, head, self._head)
        self._row = 0
        self._write_string = without_notation(self._sheet.write_string)
        self._write_number = without_notation(self._sheet.write_number)

    def _end(self) -> None:
        self._sheet.autofilter(0, 0, max(self._row, 1), len(self._layout.columns) - 1)

    def add(self, record: Record) -> None:
        """Write one record as a row; a new sheet begins where one is full."""
        row = self._layout.row(record)
        if self._row == self._most:
            self._end()
            self._begin()
        self._row += 1
        self.written += 1
        number, write_string, write_number = self._row, self._write_string, self._write_number
        # One kind after the other: within a row XlsxWriter does not mind the order.
        self._make_high(number, row)
        for at, style in self._texts:
            if row[at]:
                write_string(number, at, row[at], style)
        for at in self._numbers:
            if row[at] is not None:
                write_number(number, at, row[at])
        for at in self._times:
            if row[at] is not None:
                write_number(number, at, serial(row[at]), self._time)
        for at in self._flags:
            if row[at] is not None:
                self._sheet.write_boolean(number, at, row[at])

    def _make_high(self, number: int, row: Sequence[Any]) -> None:
        """As high as its text, which not every program does by itself."""
        lines = max((ceil(len(row[at] or "") / (width - ROOM)) for at, width in self._wrapping), default=1)
        if lines > 1:
            self._sheet.set_height(number, LINE * min(lines, MOST_LINES))


def without_notation(write: Callable[..., int]) -> Callable[..., int]:
    """XlsxWriter's method below the decorator that looks for `A1`, which takes a tenth of the time."""
    return partial(getattr(write, "__wrapped__"), getattr(write, "__self__"))  # noqa: B009  no type has them


def serial(local: datetime) -> float:
    """Excel's number of a local time: days since its day 0."""
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    return local.toordinal() - EPOCH + seconds / 86400
