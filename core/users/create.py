"""A new user."""

from dataclasses import dataclass, replace

from sqlalchemy import insert

from core.access import Actor, Role
from core.audit.record import record
from core.clinics.references import name_of, require_clinic
from core.db.failures import refused_as_duplicate
from core.db.transaction import WriteSession
from core.users.listing import user_item
from core.users.models import User
from core.users.passwords.hashing import UNUSABLE, NewPassword
from core.users.passwords.rules import check_new_password
from core.users.rights import require_above, require_clinic_of_role
from core.users.views import UserItem

TAKEN = "This user name or this email is taken."


@dataclass(frozen=True, slots=True)
class NewUser:
    username: str
    email: str
    role: Role
    clinic_id: int | None
    """None: the actor's own, or a superuser's none."""
    is_active: bool = True


def allowed(actor: Actor, new: NewUser) -> NewUser:
    """`new` with its clinic: what can be decided before the password is hashed, which takes its time.

    Raises Forbidden for a role that the actor does not administer, NotFound for a foreign clinic, and Invalid.
    """
    require_above(actor, new.role)
    clinic_id = actor.narrowed(new.clinic_id).clinic_id
    require_clinic_of_role(new.role, clinic_id)
    return replace(new, clinic_id=clinic_id)


async def create(session: WriteSession, actor: Actor, new: NewUser, password: NewPassword | None) -> UserItem:
    """The user that was `allowed`; without a password they come in by single sign-on alone. Raises Invalid for a clinic
    unknown or out of use and for a password that is not taken, and Conflict (`duplicate`)."""
    if new.clinic_id is not None:
        await require_clinic(session, new.clinic_id, active=True)
    clinic = await name_of(session, new.clinic_id)
    if password is not None:
        check_new_password(password.text, username=new.username, email=new.email, clinic=clinic, path="password")
    values = {
        "username": new.username,
        "email": new.email,
        "role": new.role.value,
        "clinic_id": new.clinic_id,
        "is_active": new.is_active,
    }
    password_hash = password.hash if password is not None else UNUSABLE
    statement = insert(User).values(password_hash=password_hash, **values).returning(User.id)
    with refused_as_duplicate(TAKEN):
        user_id = (await session.execute(statement)).scalar_one()
    changes = {name: [None, value] for name, value in values.items() if value is not None}
    await record(session, actor, "user.created", "user", user_id, clinic_id=new.clinic_id, changes=changes)
    return await user_item(session, actor.scope, user_id)
