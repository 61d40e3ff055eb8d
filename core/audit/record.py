"""Recording what was done, in the transaction of what it records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from core.access import Actor
from core.audit.models import ActionAudit, LoginAudit
from core.db.transaction import WriteSession

Changes = Mapping[str, list[Any]]
"""{"field": [before, after]}, JSON-ready but for datetimes, which are written in ISO form."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What was done, e.g. `ticket.created`, on which target."""

    action: str
    target_type: str
    target_id: object
    changes: Changes = field(default_factory=dict)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


async def record(
    session: WriteSession,
    actor: Actor,
    action: str,
    target_type: str,
    target_id: object,
    *,
    clinic_id: int | None,
    changes: Changes | None = None,
) -> None:
    """One row of the action audit, e.g. `ticket.created`. `clinic_id` is the clinic acted on."""
    await record_all(session, actor, [AuditEntry(action, target_type, target_id, changes or {})], clinic_id=clinic_id)


async def record_all(
    session: WriteSession,
    actor: Actor,
    entries: Sequence[AuditEntry],
    *,
    clinic_id: int | None,
    at: datetime | None = None,
) -> None:
    """Rows of the action audit for what one request did in one clinic, in one statement and in this order.

    `at` is the moment that the rows which they tell of bear, too: one change has one moment. Where no row bears one,
    it is the database's clock."""
    moment = {} if at is None else {"at": at}
    rows = [
        moment
        | {
            "user_id": actor.user_id,
            "username": actor.username,
            "clinic_id": clinic_id,
            "action": entry.action,
            "target_type": entry.target_type,
            "target_id": str(entry.target_id),
            "changes": {name: [_plain(value) for value in pair] for name, pair in entry.changes.items()},
            "ip": actor.ip,
            "request_id": actor.request_id,
        }
        for entry in entries
    ]
    await session.execute(insert(ActionAudit), rows)


async def record_login(
    session: WriteSession,
    *,
    user_id: int | None,
    username: str,
    clinic_id: int | None,
    outcome: str,
    client: str,
    ip: str | None,
    user_agent: str | None,
    request_id: str | None,
) -> None:
    """One row of the login audit. `outcome` is `succeeded`, or why it did not: `unknown`, `password`, `inactive`…"""
    await session.execute(
        insert(LoginAudit).values(
            user_id=user_id,
            username=username[:254],
            clinic_id=clinic_id,
            succeeded=outcome == "succeeded",
            outcome=outcome,
            client=client,
            ip=ip,
            user_agent=(user_agent or "")[:200] or None,
            request_id=request_id,
        )
    )
