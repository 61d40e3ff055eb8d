"""What a catalog's row refers to, and what it must not share with another one."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Text, exists, func, literal, select

from core.access import ClinicScope
from core.catalogs.catalogs import Catalog
from core.catalogs.models import Specialty
from core.clinics.references import lock_clinic
from core.db.transaction import Session, WriteSession
from core.errors import Conflict, Invalid, NotFound

TAKEN = "The clinic has one like it already; it may be inactive."


async def require_row(session: Session, scope: ClinicScope, catalog: Catalog, row_id: int) -> None:
    """Raises NotFound, also for another clinic's."""
    found = select(exists().where(catalog.table.id == row_id, scope.rows(catalog.table.clinic_id)))
    if not await session.scalar(found):
        raise NotFound


async def check(
    session: WriteSession, catalog: Catalog, clinic_id: int, values: Mapping[str, Any], *, row_id: int | None = None
) -> None:
    """Look at the `values` that are written to a row: its specialty must be one of the clinic's, in use, and what is
    unique must not be another row's. Raises Invalid and Conflict (`duplicate`).

    What a row keeps is not looked at: its specialty may be out of use by now.
    """
    specialty_id = values.get("specialty_id")
    if specialty_id is not None:
        await _require_specialty(session, clinic_id, specialty_id)
    for column in catalog.columns:
        if column.is_unique and values.get(column.name) is not None:
            await _require_unused(session, catalog, clinic_id, column.name, values[column.name], row_id)


async def require_unlike(
    session: WriteSession, catalog: Catalog, clinic_id: int, row: Mapping[str, Any], *, row_id: int | None = None
) -> None:
    """Raises Conflict (`duplicate`) where another row of the clinic is alike in what the catalog's rows are told apart
    by: the text with case, accents and apostrophes aside, and whatever else there is (a reason's category).

    Unique indexes look at case alone, for rows that were there before may be alike otherwise: those stay.
    """
    if not catalog.told_apart_by:
        return
    # No index keeps such rows apart: whoever writes one waits for the others.
    await lock_clinic(session, clinic_id)
    table, (name, *equal) = catalog.table, catalog.told_apart_by
    alike = func.folded_text(getattr(table, name)) == func.folded_text(literal(row[name], Text))
    same = [getattr(table, one) == row[one] for one in equal]
    await _require_none(session, table, row_id, table.clinic_id == clinic_id, alike, *same, message=TAKEN)


async def _require_specialty(session: Session, clinic_id: int, specialty_id: int) -> None:
    is_active = await session.scalar(
        select(Specialty.is_active).where(Specialty.id == specialty_id, Specialty.clinic_id == clinic_id)
    )
    if is_active is None:
        raise Invalid.field("specialty_id", "unknown_reference", "There is no such thing in this clinic.")
    if not is_active:
        raise Invalid.field("specialty_id", "inactive", "It is no longer in use.")


async def _require_unused(
    session: WriteSession, catalog: Catalog, clinic_id: int, name: str, value: Any, row_id: int | None
) -> None:
    """Raises Conflict. No unique index: what the old application left behind may have the same twice."""
    await lock_clinic(session, clinic_id)
    table = catalog.table
    message = f"Another {catalog.name} of this clinic has this {name.upper()}."
    same = getattr(table, name) == value
    await _require_none(session, table, row_id, table.clinic_id == clinic_id, same, message=message)


async def _require_none(
    session: WriteSession, table: Any, row_id: int | None, *conditions: ColumnElement[bool], message: str
) -> None:
    """Raises Conflict (`duplicate`) where another row than `row_id` meets the conditions."""
    others = exists().where(*conditions)
    if row_id is not None:
        others = others.where(table.id != row_id)
    if await session.scalar(select(others)):
        raise Conflict(message, code="duplicate")
