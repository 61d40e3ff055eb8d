"""Jobs as the serving side puts them together, run where a test can look at them."""

import fcntl
import io
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from core.access import ClinicScope
from core.db.connections.engine import SERVER_SETTINGS
from core.db.transaction import Database, ReadSession
from core.exports.child import csv, full_zip, xlsx
from core.exports.job import Form, Format, Job
from core.exports.statements.tables import left_out, tables
from core.exports.statements.tickets import tickets
from core.tickets.reads.filters import TicketFilter

Make = Callable[..., Awaitable[bytes]]
PLAIN = Form()


async def clock(database: Database) -> datetime:
    async def work(session: ReadSession) -> datetime:
        found: datetime = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return found

    return await database.read(work)


def job(
    format: Format,  # noqa: A002
    dsn: str,
    now: datetime | None = None,
    scope: ClinicScope | None = None,
    form: Form = PLAIN,
) -> Job:
    now = now or datetime.now(UTC)
    scope = scope or ClinicScope(None)
    asked = tickets(scope, TicketFilter(), now, form)
    return Job(
        format=format,
        dsn=dsn,
        application="test",
        settings=SERVER_SETTINGS,
        connect_timeout=5.0,
        command_timeout=30.0,
        now=now,
        tickets=None if format is Format.FULL else asked,
        form=form,
        tables=tables(scope) if format is Format.FULL else (),
        left_out=left_out(scope),
    )


def left(folder: Path) -> list[Path]:
    """But for what the meter of the machine's pace keeps there."""
    return [path for path in folder.iterdir() if not path.name.startswith("machine-")]


def is_locked(folder: Path) -> bool:
    """By its export; between making it and locking it, it is nobody's yet."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(opened)
    return False


@pytest.fixture
async def make(database: Database, database_url: str, tmp_path: Path) -> Make:
    """`await make(Format.CSV)` → the file, made in this process."""

    async def made(
        format: Format,  # noqa: A002
        scope: ClinicScope | None = None,
        form: Form = PLAIN,
        **options: int,
    ) -> bytes:
        asked = job(format, database_url, await clock(database), scope, form)
        to = io.BytesIO()
        if format is Format.XLSX:
            await xlsx.write_tickets(asked, to, tmp_path, **options)
        elif format is Format.CSV:
            await csv.write_tickets(asked, to)
        else:
            await full_zip.write_tables(asked, to)
        return to.getvalue()

    return made
