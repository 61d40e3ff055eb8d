"""The process that makes one export: `python -m core.exports.child`.

It reads its job from standard input, writes the file to standard output, and says on standard error, as one line of
JSON, how it ended: `{"rows": 200000}`, or what went wrong (never a value: those are patients'). Standard input stays
open as long as somebody wants the file; when it ends, for the client is gone or the serving process was killed, so does
this process, and what it has on disk.
"""

import asyncio
import errno
import gc
import json
import os
import pickle
import sys
import threading
from traceback import format_tb
from typing import IO

import asyncpg

from core.db.connections.connection import LeadsToPooler
from core.exports.child import csv, full_zip, xlsx
from core.exports.child.scratch import NoRoom, abandon, scratch
from core.exports.job import Format, Job

NICE = 5
"""Requests come first, and the database's work for them."""


def main() -> int:
    """Make the export that standard input asks for. The exit code: 0, or 1 where it could not be made."""
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301  the serving process's own
    os.nice(NICE)
    # What is read and written makes no cycles; looking for some, over and over, takes a tenth of the time.
    gc.freeze()
    gc.disable()
    threading.Thread(target=_end_when_unwanted, daemon=True, name="unwanted").start()
    try:
        rows = asyncio.run(_make(job, sys.stdout.buffer))
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001  whatever it is, the serving process logs it
        _say(_failure(error))
        return 1
    _say({"rows": rows})
    return 0


async def _make(job: Job, to: IO[bytes]) -> int:
    if job.format is Format.XLSX:
        with scratch() as folder:
            return await xlsx.write_tickets(job, to, folder)
    if job.format is Format.CSV:
        return await csv.write_tickets(job, to)
    return await full_zip.write_tables(job, to)


def _end_when_unwanted() -> None:
    sys.stdin.buffer.read()
    abandon()
    os._exit(1)


def _failure(error: Exception) -> dict[str, object]:
    """Of what kind and where, not its message. `cut`: the connection to the database was lost, or never made; `disk`:
    a file could not be written, and errno's name for why."""
    if isinstance(error, NoRoom):
        return {"error": type(error.__cause__).__name__, "disk": errno.errorcode.get(error.number or 0, "unknown")}
    state = getattr(error, "sqlstate", None)
    stack = "".join(format_tb(error.__traceback__)[-8:])
    away = (OSError, TimeoutError, EOFError, asyncpg.InterfaceError, asyncpg.TargetServerAttributeNotMatched)
    cut = isinstance(error, away) and not isinstance(error, LeadsToPooler)
    return {"error": type(error).__name__, "sqlstate": state, "cut": cut, "stack": stack}


def _say(ending: dict[str, object]) -> None:
    sys.stderr.write(json.dumps(ending) + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    # Not through the interpreter's own end, which waits for the thread that reads standard input.
    code = main()
    os._exit(code)
