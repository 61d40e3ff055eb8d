"""What a body points at must be there, of the clinic, and active; all that is wrong with it is refused at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Row, and_, func, select

from core.catalogs.models import Doctor, StandardizedReason, Surgery
from core.clinics.models import Clinic
from core.db.transaction import Session
from core.errors import FieldError, Invalid


class Refusals:
    """Collects refused fields; `decide()` raises Invalid for all of them together."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []
        self._named: dict[str, str] = {}

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Around a check: what it refuses is kept for `decide`."""
        try:
            yield
        except Invalid as refused:
            self._errors += refused.errors
            if refused.code != Invalid.code:
                # A refusal with a code of its own, as of a nonexistent local time, names the whole.
                self._named = {"code": refused.code, "detail": refused.detail}

    def reference(self, path: str, found: object, is_active: bool | None) -> None:
        """Refuse the field `path` where nothing was `found`, or it is not active. What is unknown and what is another
        clinic's are refused alike."""
        if found is None:
            self._errors.append(FieldError(path, "unknown_reference", "There is no such thing in this clinic."))
        elif not is_active:
            self._errors.append(FieldError(path, "inactive", "It is no longer in use."))

    def decide(self) -> None:
        """Raises Invalid with all that was refused, if anything was."""
        if self._errors:
            raise Invalid(*self._errors, **self._named)


async def clinic_with(
    session: Session,
    clinic_id: int,
    surgery_id: int,
    doctor_id: int | None,
    refusals: Refusals,
    *,
    to_refer: bool = False,
) -> Row[Any]:
    """The clinic (`timezone`, `prefix`), its surgery (`surgery_name`, `base_stay_hours`) and the database's `now`.

    A row that is `to_refer` to the clinic keeps its time zone as it is until the transaction ends.
    Raises Invalid for an unknown clinic; other refusals are collected.
    """
    statement = (
        select(
            *(Clinic.timezone, Clinic.prefix, Clinic.is_active, func.clock_timestamp().label("now")),
            *(Surgery.id.label("surgery_id"), Surgery.name.label("surgery_name"), Surgery.base_stay_hours),
            *(Surgery.is_active.label("surgery_is_active"),),
            *((Doctor.id.label("doctor_id"), Doctor.is_active.label("doctor_is_active")) if doctor_id else ()),
        )
        .select_from(Clinic)
        .outerjoin(Surgery, and_(Surgery.clinic_id == Clinic.id, Surgery.id == surgery_id))
        .where(Clinic.id == clinic_id)
    )
    if doctor_id is not None:
        statement = statement.outerjoin(Doctor, and_(Doctor.clinic_id == Clinic.id, Doctor.id == doctor_id))
    if to_refer:
        # The lock that the ticket's foreign key takes anyway, taken before the zone is read.
        statement = statement.with_for_update(read=True, key_share=True, of=Clinic)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise Invalid.field("clinic_id", "unknown_reference", "There is no such clinic.")
    refusals.reference("clinic_id", clinic_id, row.is_active)
    refusals.reference("surgery_id", row.surgery_id, row.surgery_is_active)
    if doctor_id is not None:
        refusals.reference("doctor_id", row.doctor_id, row.doctor_is_active)
    return row


async def surgery_of(
    session: Session, clinic_id: int, surgery_id: int, refusals: Refusals
) -> Row[str, int, bool] | None:
    """`name` and `base_stay_hours` of an active surgery; None where it is refused."""
    statement = select(Surgery.name, Surgery.base_stay_hours, Surgery.is_active).where(
        Surgery.id == surgery_id, Surgery.clinic_id == clinic_id
    )
    row = (await session.execute(statement)).one_or_none()
    refusals.reference("surgery_id", row, row.is_active if row else None)
    return row


async def doctor_of(session: Session, clinic_id: int, doctor_id: int, refusals: Refusals) -> None:
    statement = select(Doctor.is_active).where(Doctor.id == doctor_id, Doctor.clinic_id == clinic_id)
    is_active = (await session.execute(statement)).scalar_one_or_none()
    refusals.reference("doctor_id", is_active, is_active)


async def reason_text(session: Session, clinic_id: int, reason_id: int, category: str, refusals: Refusals) -> str:
    """Text of an active reason of that category; empty where it is refused."""
    statement = select(StandardizedReason.reason, StandardizedReason.is_active).where(
        StandardizedReason.id == reason_id,
        StandardizedReason.clinic_id == clinic_id,
        StandardizedReason.category == category,
    )
    row = (await session.execute(statement)).one_or_none()
    refusals.reference("reason_id", row, row.is_active if row else None)
    return row.reason if row else ""
