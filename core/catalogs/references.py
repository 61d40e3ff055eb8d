"""What a catalog's row refers to, and what it must not share with another one."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Text, exists, func, literal, select

from core.access import ClinicScope
from core.catalogs.kinds import DOCTOR, Kind
from core.catalogs.models import Doctor, Specialty
from core.clinics.models import Clinic
from core.db.transaction import Session, WriteSession
from core.errors import Conflict, Invalid, NotFound

TAKEN = "The clinic has one like it already; it may be inactive."
NAMES = {"specialty": ("name",), "surgery": ("name",), "reason": ("reason", "category")}
"""By what rows of a catalog are told apart: a text, and what must be equal beside it."""


async def require_row(session: Session, scope: ClinicScope, kind: Kind, row_id: int) -> None:
    """Raises NotFound, also for another clinic's."""
    found = select(exists().where(kind.table.id == row_id, scope.rows(kind.table.clinic_id)))
    if not await session.scalar(found):
        raise NotFound


async def check(
    session: WriteSession, kind: Kind, clinic_id: int, values: Mapping[str, Any], *, row_id: int | None = None
) -> None:
    """Of what is written to a row: a specialty is of the clinic and in use, and no two doctors have one RUT.

    Raises Invalid and Conflict (`duplicate`). What a row keeps is not asked: its specialty may be out of use by now.
    """
    specialty_id = values.get("specialty_id")
    if specialty_id is not None:
        await _specialty(session, clinic_id, specialty_id)
    rut = values.get("rut")
    if kind is DOCTOR and rut is not None:
        await _nobodys(session, clinic_id, rut, row_id)


async def require_unlike(
    session: WriteSession, kind: Kind, clinic_id: int, row: Mapping[str, Any], *, row_id: int | None = None
) -> None:
    """Raises Conflict (`duplicate`) where another row of the clinic has the same name, case, accents and apostrophes
    aside, and for reasons the same category.

    Unique indexes look at case alone, for rows that were there before may be alike otherwise: those stay.
    """
    names = NAMES.get(kind.name)
    if names is None:
        return
    await _queue(session, clinic_id)
    table, (name, *equal) = kind.table, names
    alike = func.folded_text(getattr(table, name)) == func.folded_text(literal(row[name], Text))
    others = exists().where(table.clinic_id == clinic_id, alike, *(getattr(table, one) == row[one] for one in equal))
    if row_id is not None:
        others = others.where(table.id != row_id)
    if await session.scalar(select(others)):
        raise Conflict(TAKEN, code="duplicate")


async def _queue(session: WriteSession, clinic_id: int) -> None:
    """Whoever writes what no index keeps apart waits here for one another."""
    await session.execute(select(Clinic.id).where(Clinic.id == clinic_id).with_for_update(key_share=True))


async def _specialty(session: Session, clinic_id: int, specialty_id: int) -> None:
    is_active = await session.scalar(
        select(Specialty.is_active).where(Specialty.id == specialty_id, Specialty.clinic_id == clinic_id)
    )
    if is_active is None:
        raise Invalid.field("specialty_id", "unknown_reference", "There is no such thing in this clinic.")
    if not is_active:
        raise Invalid.field("specialty_id", "inactive", "It is no longer in use.")


async def _nobodys(session: WriteSession, clinic_id: int, rut: str, row_id: int | None) -> None:
    """No index says so, for what the old application left behind may differ."""
    await _queue(session, clinic_id)
    others = exists().where(Doctor.clinic_id == clinic_id, Doctor.rut == rut)
    if row_id is not None:
        others = others.where(Doctor.id != row_id)
    if await session.scalar(select(others)):
        raise Conflict("Another doctor of this clinic has this RUT.", code="duplicate")
