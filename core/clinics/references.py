"""A clinic that somebody names: a request in its query or a body, a command by its prefix."""

from sqlalchemy import exists, select

from core.access import ClinicScope
from core.clinics.models import Clinic
from core.db.transaction import Session
from core.errors import Invalid, NotFound


async def require_known(session: Session, scope: ClinicScope) -> None:
    """Raises NotFound where the scope's clinic does not exist."""
    if scope.clinic_id is not None and not await session.scalar(select(exists().where(Clinic.id == scope.clinic_id))):
        raise NotFound


async def name_of(session: Session, clinic_id: int | None) -> str | None:
    """The clinic's name; None where there is none to name."""
    name: str | None = await session.scalar(select(Clinic.name).where(Clinic.id == clinic_id))
    return name


async def require_clinic(session: Session, clinic_id: int, *, active: bool = False) -> None:
    """Raises Invalid at `clinic_id` for an unknown clinic; where it must be `active`, for an inactive one too."""
    is_active = await session.scalar(select(Clinic.is_active).where(Clinic.id == clinic_id))
    if is_active is None:
        raise Invalid.field("clinic_id", "unknown_reference", "There is no such clinic.")
    if active and not is_active:
        raise Invalid.field("clinic_id", "inactive", "It is no longer in use.")


async def lock_clinic(session: Session, clinic_id: int) -> None:
    """Lock the clinic's row: writers of its catalogs wait here for one another. Raises NotFound for an unknown one."""
    found = select(Clinic.id).where(Clinic.id == clinic_id).with_for_update(key_share=True)
    if await session.scalar(found) is None:
        raise NotFound


async def clinic_with_prefix(session: Session, prefix: str) -> int:
    """The clinic's id; case does not matter. Raises NotFound for a prefix that no clinic has."""
    clinic_id = await session.scalar(select(Clinic.id).where(Clinic.prefix == prefix.upper()))
    if clinic_id is None:
        raise NotFound(f"No clinic has the prefix {prefix.upper()}.")
    return clinic_id
