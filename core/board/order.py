"""The board's orders: the keys of each, as SQL over the board's tickets."""

from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, Integer, case, func, literal, select

from core.access import ClinicScope
from core.board.view import ORDER
from core.catalogs.models import Doctor
from core.db.spanish_order import spanish


def natural(name: Any) -> ColumnElement[str]:
    """A key of the Spanish order in which numbers stand by what they are worth: `Piso 2` before `Piso 10`."""
    longer = func.regexp_replace(spanish(name), "([0-9]+)", r"0000000000\1", "g")
    key: ColumnElement[str] = func.regexp_replace(longer, "[0-9]+([0-9]{10})", r"\1", "g").collate("C")
    return key


def distinct(board: CTE, column: str) -> CTE:
    """`value`, `folded` (in any spelling) and `key` (natural order) of what the tickets have in a column: a ward has
    far fewer beds than stays, and a key costs more than all that is looked at besides."""
    value = board.c[column]
    values = select(value.label("value")).where(value.is_not(None)).distinct().subquery()
    rows = select(
        values.c.value, func.folded_text(values.c.value).label("folded"), natural(values.c.value).label("key")
    )
    return rows.cte(f"{column}s").prefix_with("MATERIALIZED")


def ordered(scope: ClinicScope, column: str, board: CTE, locations: CTE) -> tuple[FromClause, list[ColumnElement[Any]]]:
    """What the tickets are read from, and the keys of an order, of which the last makes it total. Who has no bed, or no
    doctor, stands at the end."""
    rows = board.c
    if column == "bed":
        beds = distinct(board, "bed_number")
        places = board.outerjoin(beds, beds.c.value == rows.bed_number).outerjoin(
            locations, locations.c.value == rows.location
        )
        return places, [_is_missing(rows.bed_number), _text(beds.c.key), _text(locations.c.key), rows.id]
    if column == "doctor":
        names = select(Doctor.id, spanish(Doctor.name).label("key")).where(scope.rows(Doctor.clinic_id))
        doctors = names.cte("doctors").prefix_with("MATERIALIZED")
        by = board.outerjoin(doctors, doctors.c.id == rows.doctor_id)
        return by, [_is_missing(rows.doctor_id), _text(doctors.c.key), rows.current_fpa, rows.id]
    if column == "urgency":
        ranks = {state.value: literal(rank, Integer) for rank, state in enumerate(ORDER)}
        return board, [case(ranks, value=rows.state), rows.current_fpa, rows.id]
    return board, [rows[column], rows.id]


def _is_missing(column: ColumnElement[Any]) -> ColumnElement[int]:
    return case((column.is_(None), literal(1, Integer)), else_=literal(0, Integer))


def _text(key: ColumnElement[str]) -> ColumnElement[str]:
    return func.coalesce(key, "").collate("C")
