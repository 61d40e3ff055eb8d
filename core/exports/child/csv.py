"""csv: UTF-8 with a byte order mark, by which Excel reads accents; commas; CRLF (RFC 4180).

Times are ISO 8601 with the clinic's offset. For Excel in Spanish there are semicolons, by which it splits there, and
times as it knows them for times. No cell starts a formula (see `cells`).
"""

import csv
from collections.abc import Callable
from datetime import datetime
from io import TextIOWrapper
from operator import methodcaller
from typing import IO, Any

from core.exports.child.batches import batches, connect
from core.exports.child.cells import guarded
from core.exports.columns import CellKind, Record
from core.exports.job import Form, Job
from core.exports.layout import layout

ENCODING = "utf-8-sig"

EXCELS_TIME = "%Y-%m-%d %H:%M:%S"
"""Taken for a time whatever the country is."""


async def write_tickets(job: Job, to: IO[bytes]) -> int:
    """Write the job's tickets as csv to `to`; gives how many."""
    if job.tickets is None:
        raise ValueError("no tickets are asked for")
    written = 0
    connection = await connect(job)
    text = TextIOWrapper(to, ENCODING, newline="", write_through=False)
    try:
        write = csv.writer(text, delimiter=";" if job.form.for_excel else ",")
        rows = Rows(job.form)
        write.writerow(rows.heads)
        async for found in batches(connection, job.tickets):
            write.writerows(rows.cells(record) for record in found)
            text.flush()
            written += len(found)
    finally:
        text.detach()
        connection.terminate()
    return written


class Rows:
    """Rows of tickets as this form has them."""

    def __init__(self, form: Form) -> None:
        self._layout = layout(form)
        self.heads = self._layout.heads
        self._texts = self._layout.positions(CellKind.TEXT)
        self._times = self._layout.positions(CellKind.TIME)
        self._flags = self._layout.positions(CellKind.FLAG)
        self._time: Callable[[datetime], str] = methodcaller("strftime", EXCELS_TIME) if form.for_excel else _iso

    def cells(self, record: Record) -> list[Any]:
        """The record's values as csv has them: formulas disarmed, times in the clinic's zone."""
        row = self._layout.row(record)
        for at in self._texts:
            if row[at]:
                row[at] = guarded(row[at])
        for at in self._times:
            if row[at] is not None:
                row[at] = self._time(row[at])
        for at in self._flags:
            row[at] = cell(row[at])
        return row


_iso = methodcaller("isoformat")


def cell(value: object) -> object:
    """A value of any type, as a cell."""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def cells(row: Record) -> list[object]:
    """A row's values, each as csv has it."""
    return [cell(value) for value in row]
