"""Lists of users: which ones, in which order; and one user."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, func, literal, or_, select, tuple_

from core.access import ClinicScope, Role
from core.clinics.models import Clinic
from core.clinics.references import require_known
from core.clock import DEFAULT_ZONE, shown, zone
from core.db.spanish_order import spanish
from core.db.transaction import Session
from core.errors import NotFound
from core.users.models import User
from core.users.passwords.hashing import UNUSABLE
from core.users.views import UserItem


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Absent ones do not limit. Every word must stand in the user name or the email, accents and case aside."""

    words: tuple[str, ...] = ()
    role: Role | None = None
    is_active: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions = [*_matching(self.words)]
        if self.role is not None:
            conditions.append(User.role == self.role.value)
        if self.is_active is not None:
            conditions.append(User.is_active == self.is_active)
        return conditions


@dataclass(frozen=True, slots=True)
class UserPage:
    items: list[UserItem]
    next: tuple[str, str] | None
    """The keys after which the next page begins; None: there is none."""


async def list_users(
    session: Session, scope: ClinicScope, asked: UserFilter, limit: int, after: tuple[str, str] | None
) -> UserPage:
    """A page of at most `limit` users, by user name in Spanish order; `after` is where the page before ended.

    Raises NotFound where the scope's clinic does not exist.
    """
    # The second alone is unique.
    keys = spanish(User.username), func.lower(User.username)
    labelled = [key.label(f"key_{number}") for number, key in enumerate(keys)]
    statement = _users(scope).add_columns(*labelled).where(*asked.conditions()).order_by(*keys).limit(limit + 1)
    if after is not None:
        statement = statement.where(tuple_(*keys) > tuple_(*(literal(key, String) for key in after)))
    rows = (await session.execute(statement)).all()
    if not rows:
        await require_known(session, scope)
    on_page = rows[:limit]
    following = (on_page[-1].key_0, on_page[-1].key_1) if len(rows) > limit else None
    return UserPage([_item(row) for row in on_page], following)


async def user_item(session: Session, scope: ClinicScope, user_id: int) -> UserItem:
    """The user of that id, as clients see them. Raises NotFound for one outside of the scope."""
    row = (await session.execute(_users(scope).where(User.id == user_id))).one_or_none()
    if row is None:
        raise NotFound
    return _item(row)


def _users(scope: ClinicScope) -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(User.id, User.username, User.email, User.role, User.clinic_id, User.is_active, User.created_at),
            (User.password_hash == UNUSABLE).label("sso_only"),
            func.coalesce(Clinic.timezone, DEFAULT_ZONE).label("timezone"),
        )
        .outerjoin(Clinic, Clinic.id == User.clinic_id)
        .where(scope.rows(User.clinic_id))
    )


def _item(row: Row[Any]) -> UserItem:
    local = zone(row.timezone)
    return UserItem.model_validate(dict(row._mapping) | {"created_at": shown(row.created_at, local)})


def _matching(words: Iterable[str]) -> Iterable[ColumnElement[bool]]:
    """One condition per word, by the functions of migration 0006, as tickets are searched."""
    for word in words:
        pattern = select(func.search_pattern(literal(word, String))).scalar_subquery()
        yield or_(*(func.search_text(column).like(pattern) for column in (User.username, User.email)))
