"""Searching the audits, the newest first: whoever may ask sees their clinic's rows, a superuser all.

What concerns no clinic (superusers' own logins, names that nobody has, global rows) only a superuser sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, column, func, literal, or_, select, table, tuple_

from core.access import ClinicScope
from core.audit.models import ActionAudit, LoginAudit
from core.clock import DEFAULT_ZONE
from core.db.row_ids import row_id
from core.db.transaction import Session
from core.errors import NotFound

# By its name: clinics know the audit, and not the other way round.
CLINIC = table("clinic", column("id"), column("timezone"))

AuditPosition = tuple[datetime, int]
"""Where a page ended: time and id of its last row."""


@dataclass(frozen=True, slots=True)
class Search:
    """What rows are searched by; None does not limit."""

    user: str | None = None
    """A user name as it was then, case aside, or a user's id."""
    action: str | None = None
    """Of a login its outcome."""
    target: str | None = None
    """`ticket/TH-SANT-2025-001`, or either half of it."""
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""

    def within(self, since: datetime | None, until: datetime | None) -> "Search":
        return replace(self, since=since, until=until)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Rows with all columns of the audit, and `timezone`, of the clinic or the network."""

    items: Sequence[Row[Any]]
    next: AuditPosition | None


async def timezone_of(session: Session, scope: ClinicScope) -> str:
    """The zone in which the scope's times without an offset are meant: the clinic's, or the network's.

    Raises NotFound where the scope's clinic does not exist.
    """
    if scope.clinic_id is None:
        return DEFAULT_ZONE
    found = await session.scalar(select(CLINIC.c.timezone).where(CLINIC.c.id == scope.clinic_id))
    if found is None:
        raise NotFound
    return str(found)


async def logins(
    session: Session, scope: ClinicScope, search: Search, limit: int, after: AuditPosition | None
) -> AuditPage:
    """A page of at most `limit` attempts to sign in, the newest first; `after` is where the page before ended."""
    conditions = _conditions(LoginAudit, search)
    if search.action is not None:
        conditions.append(LoginAudit.outcome == search.action)
    return await _page(session, LoginAudit, scope, conditions, limit, after)


async def actions(
    session: Session, scope: ClinicScope, search: Search, limit: int, after: AuditPosition | None
) -> AuditPage:
    """A page of at most `limit` writes, the newest first; `after` is where the page before ended."""
    conditions = _conditions(ActionAudit, search)
    if search.action is not None:
        conditions.append(ActionAudit.action == search.action)
    if search.target is not None:
        conditions += _of_target(search.target)
    return await _page(session, ActionAudit, scope, conditions, limit, after)


def _conditions(audit: Any, search: Search) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search.user is not None:
        named = func.lower(audit.username) == func.lower(search.user)
        user_id = row_id(search.user)
        conditions.append(named if user_id is None else or_(named, audit.user_id == user_id))
    if search.since is not None:
        conditions.append(audit.at >= search.since)
    if search.until is not None:
        conditions.append(audit.at < search.until)
    return conditions


def _of_target(target: str) -> list[ColumnElement[bool]]:
    kind, slash, target_id = target.partition("/")
    if slash:
        return [ActionAudit.target_type == kind, ActionAudit.target_id == target_id]
    # Ids have digits in them, kinds have none.
    half = ActionAudit.target_id if any(map(str.isdigit, target)) else ActionAudit.target_type
    return [half == target]


async def _page(
    session: Session,
    audit: Any,
    scope: ClinicScope,
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
    after: AuditPosition | None,
) -> AuditPage:
    """Rows are only ever added, and the newest come first: turning pages neither skips nor repeats one."""
    statement: Select[*tuple[Any, ...]] = (
        select(*audit.__table__.c, func.coalesce(CLINIC.c.timezone, DEFAULT_ZONE).label("timezone"))
        .outerjoin(CLINIC, CLINIC.c.id == audit.clinic_id)
        .where(scope.rows(audit.clinic_id), *conditions)
        .order_by(audit.at.desc(), audit.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        at, last_id = after
        statement = statement.where(
            tuple_(audit.at, audit.id) < tuple_(literal(at, audit.__table__.c.at.type), literal(last_id))
        )
    rows = (await session.execute(statement)).all()
    shown = rows[:limit]
    return AuditPage(shown, (shown[-1].at, shown[-1].id) if len(rows) > limit else None)
