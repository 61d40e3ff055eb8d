"""Which tickets an export has: those of the list's conditions in the same scope, oldest first, clinic by clinic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    ScalarSelect,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import LateralFromClause

from core.access import ClinicScope
from core.catalogs.models import Doctor, Specialty, Surgery
from core.clinics.models import Clinic
from core.db.transaction import ReadSession
from core.exports.columns import OF_MODIFICATION, READ, READ_BESIDE, ExportColumn
from core.exports.job import Batches, Form
from core.exports.layout import AGE, OF_DOCUMENT
from core.exports.statements.keyset import one_batch, prepared
from core.patients.models import Patient, shown_document
from core.tickets.models import Delay, FpaModification, Status, Ticket
from core.tickets.reads.filters import TicketFilter, filtered, require_known
from core.tickets.reads.pages import clinics_of
from core.tickets.state import sql_state

TABLES = {"clinic": Clinic, "doctor": Doctor, "patient": Patient, "specialty": Specialty, "ticket": Ticket}
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Subject:
    """The clinic or network that an export is of, and the moment at which it was asked for."""

    prefix: str | None
    """The clinic's; None for the network."""
    timezone: str | None
    now: datetime
    """The database's clock."""


async def subject(session: ReadSession, scope: ClinicScope, named: Mapping[Any, int | None]) -> Subject:
    """What an export of the scope is of, at the database's now.

    Raises NotFound where the scope's clinic, or a row that is named by table and id, does not exist in the scope.
    """
    await require_known(session, scope, named)
    now: datetime = (await session.execute(select(func.statement_timestamp()))).scalar_one()
    if scope.clinic_id is None:
        return Subject(None, None, now)
    found = (await session.execute(select(Clinic.prefix, Clinic.timezone).where(scope.rows(Clinic.id)))).one()
    return Subject(found.prefix, found.timezone, now)


def tickets(scope: ClinicScope, asked: TicketFilter, now: datetime, form: Form) -> Batches:
    """Rows of `columns.READ` and `READ_BESIDE`. States are those at `now`. What a viewer's file does not have does not
    leave the database for it."""
    moment = literal(now, DateTime(timezone=True))
    clinics = clinics_of(scope)
    chosen = filtered(scope, asked, moment, clinics)
    row = Ticket.__table__.c
    page = one_batch(chosen, (row.clinic_id, row.created_at, row.id)).subquery("page")
    modified = _modifications()
    expressions = _expressions(moment, clinics.c, modified.c)
    if form.is_viewers:
        expressions |= dict.fromkeys(OF_DOCUMENT, null()) | {AGE: Patient.age // 10 * 10}
    columns = [_expression(column, expressions).label(column.name) for column in READ]
    columns += [expressions[name].label(name) for name in READ_BESIDE]
    rows = (
        select(*columns)
        .select_from(page)
        .join(Ticket, Ticket.id == page.c.id)
        .join(clinics, clinics.c.id == Ticket.clinic_id)
        .join(Clinic, Clinic.id == Ticket.clinic_id)
        .outerjoin(Patient, Patient.id == Ticket.patient_id)
        .outerjoin(Doctor, Doctor.id == Ticket.doctor_id)
        .outerjoin(Surgery, Surgery.id == Ticket.surgery_id)
        .outerjoin(Specialty, Specialty.id == Surgery.specialty_id)
        .join(modified, true())
        .order_by(Ticket.clinic_id, Ticket.created_at, Ticket.id)
    )
    names = [column.name for column in columns]
    return prepared(rows, (0, LONG_AGO, ""), [names.index(key) for key in ("clinic_id", "created_at", "id")])


def _expression(column: ExportColumn, expressions: Mapping[str, Any]) -> Any:
    if column.name in expressions or column.of is None:
        return expressions.get(column.name, Ticket.__table__.c.get(column.name))
    table, _, name = column.of.partition(".")
    return getattr(TABLES[table], name)


def _expressions(now: ColumnElement[datetime], clinics: Any, modified: Any) -> dict[str, Any]:
    """By name what is more than a column of a table."""
    return {
        "state": sql_state(now, Ticket, clinics),
        "document": shown_document(),
        "modifications": modified.number,
        # Of a discharge; where there is none, nothing was assumed or recorded.
        "assumed": case((Ticket.status == Status.DISCHARGED, Ticket.discharge_assumed), else_=None),
        "delays": _of_delays(Delay.reason),
        "delay_minutes": _minutes_lost(),
        "clinic_id": Ticket.clinic_id,
        "timezone": Clinic.timezone,
        "modification_list": modified.listed,
    }


def _of_delays(text: Any) -> ScalarSelect[Any]:
    """Of each Ticket a text of each of its delays, those that have ended among them, in one."""
    return (
        select(func.string_agg(text, aggregate_order_by(literal("; ", String), Delay.id)))
        .where(Delay.clinic_id == Ticket.clinic_id, Delay.ticket_id == Ticket.id)
        .correlate(Ticket)
        .scalar_subquery()
    )


def _minutes_lost() -> ColumnElement[Any]:
    """In whole minutes, as the dashboard counts them: of those who left at a time that somebody recorded."""
    lost = func.delay_minutes(Delay.set_at, Delay.ended_at, Ticket.admission_at, Ticket.discharged_at)
    minutes = _of_delays(cast(lost, String))
    return case((and_(Ticket.status == Status.DISCHARGED, ~Ticket.discharge_assumed), minutes), else_=None)


def _modifications() -> LateralFromClause:
    """Of each Ticket their number, and as JSON one array of `columns.OF_MODIFICATION` for each. Always one row."""
    one = FpaModification
    named = {"at": one.modified_at, "by": one.modified_by}
    values = func.jsonb_build_array(
        *(named[column.name] if column.name in named else getattr(one, column.name) for column in OF_MODIFICATION)
    )
    return (
        select(func.count().label("number"), func.jsonb_agg(aggregate_order_by(values, one.id)).label("listed"))
        .where(one.clinic_id == Ticket.clinic_id, one.ticket_id == Ticket.id)
        .lateral("modified")
    )
