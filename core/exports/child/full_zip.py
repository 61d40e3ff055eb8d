"""Every table as a csv in one zip, written as it is read: nothing of it is ever held as a whole.

Times are UTC. Rows are read batch by batch, so the zip is no single moment: each row is as it was
when its batch was read, between `started_at` and `ended_at` of its manifest. Tables come before those that they refer
to, and no row that another refers to is ever deleted, so every reference in the zip is found in it.
"""

import csv
import json
from io import TextIOWrapper
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from core.exports.child.batches import Connection, batches, connect
from core.exports.child.csv import ENCODING, cells
from core.exports.job import Job, Table

MANIFEST = "manifest.json"
NOTE = (
    "Each row is as it was at a moment between started_at and ended_at; every reference is found. Times are UTC. An"
    " apostrophe stands before what a spreadsheet would take for a formula. Passwords, sessions and kept answers are"
    " left out. Of one clinic's rows some may name users who have moved to another since."
)
LEVEL = 6


async def write_tables(job: Job, to: IO[bytes]) -> int:
    """How many rows were written."""
    connection = await connect(job)
    rows: dict[str, int] = {}
    try:
        with ZipFile(to, "w", ZIP_DEFLATED, compresslevel=LEVEL) as packed:
            for table in job.tables:
                rows[table.name] = await _write(connection, job, table, packed)
                to.flush()
            manifest = {
                "started_at": job.now.isoformat(),
                "ended_at": (await connection.fetchval("SELECT clock_timestamp()")).isoformat(),
                "rows": rows,
                "left_out": job.left_out,
                "note": NOTE,
            }
            packed.writestr(_named(job, MANIFEST), json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    finally:
        connection.terminate()
    to.flush()
    return sum(rows.values())


async def _write(connection: Connection, job: Job, table: Table, packed: ZipFile) -> int:
    written = 0
    # Its size is not known beforehand, and may be past what the older form of a zip can say.
    with (
        packed.open(_named(job, f"{table.name}.csv"), "w", force_zip64=True) as raw,
        TextIOWrapper(raw, ENCODING, newline="") as text,
    ):
        write = csv.writer(text)
        write.writerow(table.columns)
        async for found in batches(connection, table.batches):
            write.writerows(cells(record) for record in found)
            written += len(found)
    return written


def _named(job: Job, name: str) -> ZipInfo:
    named = ZipInfo(name, job.now.timetuple()[:6])
    named.compress_type = ZIP_DEFLATED
    named.external_attr = 0o600 << 16
    return named
