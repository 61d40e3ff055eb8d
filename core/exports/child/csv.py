"""csv: UTF-8 with a byte order mark, by which Excel reads accents; commas; CRLF (RFC 4180).

Times are ISO 8601 with the clinic's offset. No cell starts a formula (see `cells`).
"""

import csv
from datetime import datetime
from io import TextIOWrapper
from typing import IO, Any

from core.exports.child.batches import batches, connect
from core.exports.child.cells import guarded
from core.exports.columns import COLUMNS, CellKind, Record, positions, values
from core.exports.job import Job

ENCODING = "utf-8-sig"

_TEXTS = positions(CellKind.TEXT)
_TIMES = positions(CellKind.TIME)
_FLAGS = positions(CellKind.FLAG)


async def write_tickets(job: Job, to: IO[bytes]) -> int:
    """How many tickets were written."""
    if job.tickets is None:
        raise ValueError("no tickets are asked for")
    written = 0
    connection = await connect(job)
    text = TextIOWrapper(to, ENCODING, newline="", write_through=False)
    try:
        write = csv.writer(text)
        write.writerow([column.name for column in COLUMNS])
        async for found in batches(connection, job.tickets):
            write.writerows(_cells(values(record)) for record in found)
            text.flush()
            written += len(found)
    finally:
        text.detach()
        connection.terminate()
    return written


def _cells(row: list[Any]) -> list[Any]:
    for at in _TEXTS:
        if row[at]:
            row[at] = guarded(row[at])
    for at in _TIMES:
        if row[at] is not None:
            row[at] = row[at].isoformat()
    for at in _FLAGS:
        row[at] = cell(row[at])
    return row


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
    return [cell(value) for value in row]
