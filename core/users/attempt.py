"""An attempt to prove a password, to sign in or to change it: throttled, and audited however it ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.audit.record import record_login
from core.db.transaction import Database, WriteSession
from core.sessions.devices import Device
from core.sessions.throttle import Throttle, Throttled, Tried, user_key
from core.users.accounts import Account

SUCCEEDED = "succeeded"
THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who asks to come in, as what and from where. `name` is a user name or an email."""

    name: str
    client: str
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    device: Device | None = None
    """As the client's cookie names it."""


@asynccontextmanager
async def throttled(
    database: Database, throttle: Throttle, attempt: Attempt, account: Account | None
) -> AsyncIterator[Tried]:
    """`throttle.attempt` for `account`, or for an unknown name (None).

    Raises Throttled. Of each window the first refusal is audited, and the others leave no row.
    """
    user_id = account.id if account else None
    device = attempt.device.name if attempt.device and attempt.device.is_of(user_id) else None
    outcome = "unknown"
    try:
        async with throttle.attempt(user_key(user_id, attempt.name), attempt.ip, device) as tried:
            yield tried
        if tried.right is not None:
            outcome = "right" if tried.right else "wrong"
    except Throttled as refused:
        outcome = "refused"
        if refused.is_first:
            await database.write(lambda session: record_outcome(session, attempt, account, THROTTLED))
        raise
    finally:
        throttle.outcomes[outcome] += 1


async def record_outcome(session: WriteSession, attempt: Attempt, account: Account | None, outcome: str) -> None:
    """One row of the login audit."""
    await record_login(
        session,
        user_id=account.id if account else None,
        username=account.username if account else attempt.name,
        clinic_id=account.clinic_id if account else None,
        outcome=outcome,
        client=attempt.client,
        ip=attempt.ip,
        user_agent=attempt.user_agent,
        request_id=attempt.request_id,
    )
