"""Signing in by what Google says of somebody: who was made here comes in, and nobody is made but SUPERUSER_EMAILS."""

import re
import secrets
from collections.abc import Collection

from sqlalchemy.dialects.postgresql import insert

from core.access import Actor, Role
from core.audit.record import record
from core.db.transaction import Database, WriteSession
from core.errors import Forbidden
from core.sessions.store import Sessions
from core.sessions.throttle import Throttle, Throttled, plain
from core.users import accounts
from core.users.accounts import Account
from core.users.attempt import SUCCEEDED, THROTTLED, Attempt, record_outcome
from core.users.models import User
from core.users.passwords.hashing import UNUSABLE
from core.users.sign_in import SignedIn, open_session

MAKER = "(SUPERUSER_EMAILS)"
"""Who the audit says has made a superuser: no user has a name with parentheses."""
LONGEST_NAME = 60
"""Characters of a user name that is made of an email."""


async def sign_in_proved(
    database: Database,
    sessions: Sessions,
    throttle: Throttle,
    superuser_emails: Collection[str],
    attempt: Attempt,
) -> SignedIn:
    """A new session for the user whose email `attempt` names, which somebody has proved to be theirs; audited, as a
    refusal is, in one transaction.

    Who has none, but is one of `superuser_emails` (lower case), is made; a user that is there stays as they are.
    Raises Forbidden (`not_provisioned`), whatever the reason, and TooManyAttempts for who was told so again and again.
    """

    async def decide(session: WriteSession) -> tuple[Account | None, str, SignedIn | None]:
        account = await accounts.locked_account_of_email(session, attempt.name)
        if account is None and attempt.name in superuser_emails:
            account = await _superuser_made(session, attempt)
        outcome = outcome_of(account)
        if account is None or outcome != SUCCEEDED:
            return account, outcome, None
        await record_outcome(session, attempt, account, outcome)
        return account, outcome, await open_session(session, sessions, account, attempt)

    account, outcome, signed_in = await database.write(decide)
    if signed_in is not None:
        return signed_in
    try:
        await throttle.refusal(plain(attempt.name))
    except Throttled as refused:
        if refused.is_first:
            await database.write(lambda session: record_outcome(session, attempt, account, THROTTLED))
        raise
    await database.write(lambda session: record_outcome(session, attempt, account, outcome))
    raise Forbidden("Nobody has given you an account here that is in use.", code="not_provisioned")


def outcome_of(account: Account | None) -> str:
    """The outcome in the login audit's row: `succeeded`, or why it did not."""
    if account is None:
        return "not_provisioned"
    if not account.is_active:
        return "inactive"
    return SUCCEEDED if account.clinic_is_active else "clinic_inactive"


async def _superuser_made(session: WriteSession, attempt: Attempt) -> Account | None:
    """A new superuser of that email, who has no password; or who was made by that email meanwhile."""
    wished = re.sub(r"[^A-Za-z0-9._-]", ".", attempt.name.partition("@")[0])[:LONGEST_NAME]
    for username in (wished, f"{wished}-{secrets.token_hex(4)}"):
        values = {"username": username, "email": attempt.name, "role": Role.SUPERUSER.value, "is_active": True}
        # It waits for whoever makes the same user at this moment.
        statement = insert(User).values(password_hash=UNUSABLE, **values).on_conflict_do_nothing().returning(User.id)
        user_id = await session.scalar(statement)
        if user_id is not None:
            changes = {name: [None, value] for name, value in values.items()}
            await record(session, _maker(attempt), "user.created", "user", user_id, clinic_id=None, changes=changes)
        account = await accounts.locked_account_of_email(session, attempt.name)
        if account is not None:
            return account
    return None


def _maker(attempt: Attempt) -> Actor:
    return Actor(
        user_id=0, username=MAKER, email="", role=Role.SUPERUSER, clinic_id=None, session_id=0, client=attempt.client,
        ip=attempt.ip, request_id=attempt.request_id,
    )  # fmt: skip
