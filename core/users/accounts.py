"""Statements on users. Signing in is the one thing that is done without a clinic scope: it finds out whose it is."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select, update

from core.clinics.models import Clinic
from core.clock import DEFAULT_ZONE
from core.db.transaction import ReadSession, WriteSession
from core.settings import DEMO_DOMAIN
from core.users.models import User

ACTIVE_DEMO_ACCOUNTS = f"SELECT count(*) FROM app_user WHERE email LIKE '%@{DEMO_DOMAIN}' AND is_active"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Account:
    """A user as signing in needs them, password hash included."""

    id: int
    username: str
    email: str
    password_hash: str
    role: str
    clinic_id: int | None
    clinic: str | None
    """Its name."""
    timezone: str
    """Of the clinic; a superuser's is the network's."""
    is_active: bool
    clinic_is_active: bool
    """True for a superuser."""


def _accounts() -> Select[*tuple[Any, ...]]:
    return select(
        User.id,
        User.username,
        User.email,
        User.password_hash,
        User.role,
        User.clinic_id,
        Clinic.name.label("clinic"),
        func.coalesce(Clinic.timezone, DEFAULT_ZONE).label("timezone"),
        User.is_active,
        func.coalesce(Clinic.is_active, True).label("clinic_is_active"),
    ).outerjoin(Clinic, Clinic.id == User.clinic_id)


async def account_named(session: ReadSession, name: str) -> Account | None:
    """The user of that user name or, if there is none, of that email; case does not matter."""
    lowered = func.lower(name)
    found = await session.execute(
        _accounts()
        .where(or_(func.lower(User.username) == lowered, func.lower(User.email) == lowered))
        .order_by((func.lower(User.username) == lowered).desc())
        .limit(1)
    )
    row = found.mappings().one_or_none()
    return None if row is None else Account(**row)


async def account(session: ReadSession, user_id: int) -> Account | None:
    """The user of that id, inactive ones included; None where there is none."""
    row = (await session.execute(_accounts().where(User.id == user_id))).mappings().one_or_none()
    return None if row is None else Account(**row)


async def locked_account(session: WriteSession, user_id: int, *, to_change: bool = False) -> Account | None:
    """The user as they are now, kept so until the transaction ends: a new password or a deactivation waits.

    A sign-in that overtook either would leave a session behind that they meant to end.
    """
    found = await session.execute(
        _accounts().where(User.id == user_id).with_for_update(of=User, read=not to_change, key_share=to_change)
    )
    row = found.mappings().one_or_none()
    return None if row is None else Account(**row)


async def locked_account_of_email(session: WriteSession, email: str) -> Account | None:
    """As `locked_account`, of the user whose email it is; case does not matter. A user *name* like it is nobody's."""
    found = await session.execute(
        _accounts().where(func.lower(User.email) == func.lower(email)).with_for_update(of=User, read=True)
    )
    row = found.mappings().one_or_none()
    return None if row is None else Account(**row)


async def set_password_hash(session: WriteSession, user_id: int, password_hash: str) -> None:
    """Store the hash of a user's new password."""
    await session.execute(
        update(User)
        .where(User.id == user_id)
        .values(password_hash=password_hash)
        .execution_options(synchronize_session=False)
    )
