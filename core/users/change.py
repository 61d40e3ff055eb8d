"""Changing a user. What takes rights away ends the user's sessions, in the same transaction.

Nobody is deleted, and nobody removes the last active superuser, themselves included.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import exists, select, text, update

from core.access import Actor, Role
from core.audit.record import AuditEntry, Changes, record, record_all
from core.clinics.references import name_of, require_clinic
from core.db.failures import refused_as_duplicate
from core.db.transaction import WriteSession
from core.errors import Conflict, Invalid, NotFound
from core.sessions import records
from core.sessions.idempotency import forget
from core.users.create import TAKEN
from core.users.listing import user_item
from core.users.models import User
from core.users.passwords.hashing import UNUSABLE, NewPassword
from core.users.passwords.rules import check_new_password
from core.users.rights import require_above, require_clinic_of_role
from core.users.views import UserItem

SUPERUSERS = 0x73757065727573  # "superus"
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(:key)")


@dataclass(frozen=True, slots=True)
class UserChange:
    """`values` holds what was named of `username`, `email`, `role`, `clinic_id`, `is_active`."""

    values: Mapping[str, Any]
    password: NewPassword | None = None
    removes_password: bool = False
    """The user comes in by single sign-on alone from then on."""

    @property
    def password_hash(self) -> str | None:
        """What is stored from then on; None: what there is."""
        if self.password is not None:
            return self.password.hash
        return UNUSABLE if self.removes_password else None


@dataclass(frozen=True, slots=True)
class _After:
    """A user as they will be, and what differs: {"field": [before, after]}."""

    values: dict[str, Any]
    changes: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def is_superuser(self) -> bool:
        return self.values["role"] == Role.SUPERUSER and self.values["is_active"] is True

    @property
    def takes_away(self) -> bool:
        """Whether sessions end by it, a new password aside."""
        return bool(self.changes.keys() & {"role", "clinic_id"}) or self.changes.get("is_active") == [True, False]


async def change(session: WriteSession, actor: Actor, user_id: int, asked: UserChange) -> UserItem:
    """The user as they are then.

    Raises Forbidden for roles that the actor does not administer, NotFound for a foreign clinic or user, Invalid, and
    Conflict: `duplicate`, or `last_superuser`.
    """
    if "role" in asked.values:
        require_above(actor, asked.values["role"])
    actor.narrowed(asked.values.get("clinic_id"))
    if asked.values.keys() & {"role", "is_active"}:
        # Before any row: of two superusers who remove each other, the second finds itself the last.
        await session.execute(ONE_AT_A_TIME, {"key": SUPERUSERS})
    user = await hold(session, actor, user_id)
    after = _after(user, asked.values)
    await _require_sound(session, actor, user, after, asked)
    # A password's hash has a salt: the same one is only that of none.
    password_hash = None if asked.password_hash == user.password_hash else asked.password_hash
    if after.changes or password_hash is not None:
        await _write(session, user, after, password_hash)
        ended = []
        if after.takes_away or password_hash is not None:
            ended = await records.revoke_all(session, user_id=user_id)
        actions = ["user.changed"] if after.changes else []
        if password_hash is not None:
            actions.append("user.password_removed" if password_hash == UNUSABLE else "user.password_reset")
        await _record(session, actor, user, after, actions, ended=len(ended))
    return await user_item(session, actor.scope, user_id)


async def end_sessions(session: WriteSession, actor: Actor, user_id: int) -> None:
    """End all sessions of a user. Raises Forbidden and NotFound."""
    user = await hold(session, actor, user_id)
    ended = await records.revoke_all(session, user_id=user_id)
    if ended:
        changes = {"sessions_ended": [None, len(ended)]}
        await record(session, actor, "user.sessions_ended", "user", user_id, clinic_id=user.clinic_id, changes=changes)


async def hold(session: WriteSession, actor: Actor, user_id: int) -> User:
    """The user, locked: a sign-in that is under way waits, or has left its session. Raises NotFound and Forbidden."""
    locking = select(User).where(User.id == user_id, actor.scope.rows(User.clinic_id))
    user = (await session.execute(locking.with_for_update(key_share=True))).scalar_one_or_none()
    if user is None:
        raise NotFound
    require_above(actor, Role(user.role))
    return user


def _after(user: User, values: Mapping[str, Any]) -> _After:
    before = {name: getattr(user, name) for name in ("username", "email", "role", "clinic_id", "is_active")}
    after = before | {name: value.value if isinstance(value, Role) else value for name, value in values.items()}
    return _After(after, {name: [before[name], after[name]] for name in before if before[name] != after[name]})


async def _require_sound(session: WriteSession, actor: Actor, user: User, after: _After, asked: UserChange) -> None:
    values = after.values
    require_clinic_of_role(Role(values["role"]), values["clinic_id"])
    if "clinic_id" in after.changes and values["clinic_id"] is not None:
        await require_clinic(session, values["clinic_id"], active=True)
    if asked.password_hash is not None and user.id == actor.user_id:
        # A session left open must not be a way to take an account over.
        raise Invalid.field("password", "own_password", "Change your own with PUT /v1/auth/password.")
    if asked.password is not None:
        clinic = await name_of(session, values["clinic_id"])
        names = {"username": values["username"], "email": values["email"]}
        check_new_password(asked.password.text, **names, clinic=clinic, path="password")
    if user.role == Role.SUPERUSER and user.is_active and not after.is_superuser:
        await _require_another_superuser(session, user.id)


async def _require_another_superuser(session: WriteSession, user_id: int) -> None:
    others = exists().where(User.role == Role.SUPERUSER.value, User.is_active, User.id != user_id)
    if not await session.scalar(select(others)):
        raise Conflict("It is the last active superuser.", code="last_superuser")


async def _write(session: WriteSession, user: User, after: _After, password_hash: str | None) -> None:
    values = {name: new for name, (_, new) in after.changes.items()}
    if password_hash is not None:
        values["password_hash"] = password_hash
    statement = update(User).where(User.id == user.id).values(values)
    with refused_as_duplicate(TAKEN):
        await session.execute(statement, execution_options={"synchronize_session": False})
    if "clinic_id" in after.changes:
        # Answers are replayed before anything is looked up, and these are the clinic's that the user leaves.
        await forget(session, user.id)


async def _record(
    session: WriteSession, actor: Actor, user: User, after: _After, actions: list[str], *, ended: int
) -> None:
    """In the clinic that the user is of. Of one who moves both clinics get a row, and neither learns of the other."""
    old, new = user.clinic_id, after.values["clinic_id"]
    common: Changes = after.changes | ({"sessions_ended": [None, ended]} if ended else {})
    for clinic_id in dict.fromkeys((old, new)):
        changes = dict(common)
        if old != new and clinic_id is not None:
            changes["clinic_id"] = [old, None] if clinic_id == old else [None, new]
        # What changed is told once, with the first.
        told = [changes, {}]
        entries = [AuditEntry(action, "user", user.id, told.pop(0)) for action in actions]
        await record_all(session, actor, entries, clinic_id=clinic_id)
