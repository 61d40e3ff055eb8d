"""An export from the request to its last byte: recorded as begun, made, recorded as ended."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from enum import Enum

from limits import RateLimitItem

from core import times
from core.access import Actor, ClinicScope, Role
from core.audit.record import record
from core.background import Background
from core.clock import DEFAULT_ZONE, in_zone, zone
from core.db.connections.connection import APPLICATION
from core.db.connections.engine import SERVER_SETTINGS
from core.db.transaction import Database, ReadSession, WriteSession
from core.errors import AppError
from core.exports.child.scratch import sweep
from core.exports.child_process import ChildProcesses
from core.exports.job import Form, Format, Job
from core.exports.statements.tables import left_out, tables
from core.exports.statements.tickets import Subject, subject, tickets
from core.sessions.rates import Rates
from core.telemetry.log import logger
from core.tickets.reads.filters import TicketFilter

TARGET = "export"
NETWORK = ClinicScope(None)
EVERY_TICKET = TicketFilter()
PLAIN = Form()


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Who asks for which file of which tickets."""

    actor: Actor
    format: Format
    scope: ClinicScope = NETWORK
    filter: TicketFilter = EVERY_TICKET
    form: Form = PLAIN


class Exports:
    """One per process that serves. `dsn` is in libpq's form; `limit` says how many a user may begin, in which time."""

    def __init__(self, database: Database, dsn: str, rates: Rates, limit: RateLimitItem) -> None:
        self._database = database
        self._rates = rates
        self._limit = limit
        self._dsn = dsn
        self._children = ChildProcesses()
        self._background = Background()
        # What processes that were killed with their serving process left behind: patients' rows.
        self._background.start(asyncio.to_thread(sweep), name="sweep of exports")

    async def open(self, asked: ExportRequest) -> "Export":
        """Recorded as begun: no byte leaves that nobody accounts for.

        Raises NotFound where the scope's clinic, or the surgery asked for, does not exist in the scope, and
        TooManyAttempts for who has begun too many.
        """

        async def read(session: ReadSession) -> Subject:
            return await subject(session, asked.scope, asked.filter.named)

        async def write(session: WriteSession) -> None:
            await _record(session, asked, "export.started", filters=filters_of(asked.filter))

        of = await self._database.read(read)
        await self._rates.count(self._limit, TARGET, asked.actor.user_id)
        await self._database.write(write)
        return Export(self, asked, of, self._job(asked, of))

    def _job(self, asked: ExportRequest, of: Subject) -> Job:
        job = Job(
            format=asked.format,
            dsn=self._dsn,
            application=f"{APPLICATION}-export",
            settings=SERVER_SETTINGS,
            connect_timeout=times.CONNECT,
            command_timeout=times.COMMAND,
            now=of.now,
        )
        if asked.format is Format.FULL:
            return replace(job, tables=tables(asked.scope), left_out=left_out(asked.scope))
        form = replace(asked.form, is_viewers=asked.actor.role is Role.VIEWER)
        return replace(job, tickets=tickets(asked.scope, asked.filter, of.now, form), form=form)

    async def chunks(self, export: "Export") -> AsyncIterator[bytes]:
        """The file's bytes as they are made. The export is audited once it has ended, in whatever way. Raises
        Unavailable and ExportFailed."""
        rows: int | None = None
        sent = 0
        try:
            async with self._children.run(export.job) as child:
                async for chunk in child.chunks():
                    yield chunk
                    sent += len(chunk)
                rows = child.rows
        finally:
            ending = self._background.start(self._ended(export.asked, rows, sent), name="end of an export")
            if rows is not None:
                # Whoever has the whole of it knows that it was recorded.
                await asyncio.wait({ending})

    async def _ended(self, asked: ExportRequest, rows: int | None, sent: int) -> None:
        async def write(session: WriteSession) -> None:
            await _record(session, asked, "export.ended", rows=rows, bytes=sent, complete=rows is not None)

        try:
            await self._database.write(write)
        except AppError as error:
            logger.warning("the end of an export was not recorded", request_id=asked.actor.request_id, code=error.code)

    async def close(self, within: float) -> None:
        await self._background.drain(within)


@dataclass(frozen=True, slots=True)
class Export:
    """One that may begin: what was asked for has been checked, and its job is known."""

    exports: Exports
    asked: ExportRequest
    subject: Subject
    job: Job

    @property
    def filename(self) -> str:
        """`tickets-SANT-2025-01-15.xlsx`: the clinic and its date; of the network neither prefix nor its own date."""
        name, _, kind = self.asked.format.value.partition(".")
        day = in_zone(self.subject.now, zone(self.subject.timezone or DEFAULT_ZONE)).date()
        of = "network" if self.subject.prefix is None else self.subject.prefix
        return f"{name}-{of}-{day.isoformat()}.{kind}"

    def chunks(self) -> AsyncIterator[bytes]:
        """The file's bytes, to be closed by whoever stops reading: the process that makes it ends then.

        Raises Unavailable and ExportFailed, also after the first ones.
        """
        return self.exports.chunks(self)


async def _record(session: WriteSession, asked: ExportRequest, action: str, **facts: object) -> None:
    changes = {name: [None, value] for name, value in facts.items()}
    target = asked.format.value
    await record(session, asked.actor, action, TARGET, target, clinic_id=asked.scope.clinic_id, changes=changes)


def filters_of(asked: TicketFilter) -> dict[str, object]:
    """The filters that limit anything, as JSON."""
    given = {field.name: getattr(asked, field.name) for field in fields(asked)}
    counted_in = given.pop("counted_in")
    given |= {} if counted_in is None else asdict(counted_in)
    return {name: _json(value) for name, value in given.items() if value not in (None, ())}


def _json(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
