"""Signing in and out. Every refusal looks the same from outside; the audit knows which it was."""

from dataclasses import dataclass
from datetime import datetime

from core.access import Actor, Role
from core.audit.record import record
from core.db.transaction import Database, ReadSession, WriteSession
from core.errors import NotAuthenticated
from core.sessions import records
from core.sessions.records import Opened
from core.sessions.store import Sessions
from core.sessions.throttle import Throttle
from core.users import accounts
from core.users.accounts import Account
from core.users.attempt import SUCCEEDED, Attempt, record_outcome, throttled
from core.users.passwords.hashing import Passwords, PasswordVerdict

NOBODY = 0
"""No user's id."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user, and their new session. `token` is for its client alone."""

    token: str
    session_id: int
    user_id: int
    username: str
    email: str
    role: Role
    clinic_id: int | None
    timezone: str
    expires_at: datetime
    idle_seconds: int | None


async def sign_in(
    database: Database,
    sessions: Sessions,
    passwords: Passwords,
    throttle: Throttle,
    attempt: Attempt,
    password: str,
) -> SignedIn:
    """A new session with a new id, audited in one transaction with it; so is a refusal.

    Raises NotAuthenticated (`invalid_credentials`), whatever the reason, and TooManyAttempts. No connection is held
    while hashing.
    """
    found = await _named(database, attempt.name)
    async with throttled(database, throttle, attempt, found) as tried:
        signed_in = await _session_for(database, sessions, passwords, attempt, found, password)
        tried.right = signed_in is not None
    if signed_in is None:
        raise wrong_credentials()
    return signed_in


async def _named(database: Database, name: str) -> Account | None:
    async def look_up(session: ReadSession) -> Account | None:
        return await accounts.account_named(session, name)

    return await database.read(look_up)


async def _session_for(
    database: Database,
    sessions: Sessions,
    passwords: Passwords,
    attempt: Attempt,
    found: Account | None,
    password: str,
) -> SignedIn | None:
    try:
        return await _verify_and_open(database, sessions, passwords, attempt, found, password, last=False)
    except _Overtaken:
        # By a sign-in beside this one that renewed the hash, most likely: the password may be as right as before.
        found = await _named(database, attempt.name)
        return await _verify_and_open(database, sessions, passwords, attempt, found, password, last=True)


class _Overtaken(Exception):
    """The hash that was verified is not the user's any more."""


async def _verify_and_open(
    database: Database,
    sessions: Sessions,
    passwords: Passwords,
    attempt: Attempt,
    found: Account | None,
    password: str,
    *,
    last: bool,
) -> SignedIn | None:
    verdict = await passwords.verify(found.password_hash if found else None, password)

    async def decide(session: WriteSession) -> SignedIn | None:
        renews = verdict.renewed is not None
        # A name that nobody has costs the same statements: `Server-Timing` tells their number.
        account = await accounts.locked_account(session, found.id if found else NOBODY, to_change=renews)
        if not last and overtaken(found, account):
            raise _Overtaken
        outcome = outcome_of(found, account, verdict, attempt.client)
        await record_outcome(session, attempt, account, outcome)
        if account is None or outcome != SUCCEEDED:
            return None
        if verdict.renewed is not None:
            await accounts.set_password_hash(session, account.id, verdict.renewed)
        return await open_session(session, sessions, account, attempt)

    return await database.write(decide)


def overtaken(found: Account | None, now: Account | None) -> bool:
    """Whether the user's password hash was changed between the two reads of them."""
    return found is not None and now is not None and now.password_hash != found.password_hash


def outcome_of(found: Account | None, now: Account | None, verdict: PasswordVerdict, client: str) -> str:
    """What the audit says. `found` is the user whose password was verified, `now` the same one, locked."""
    if found is None or now is None:
        return "unknown"
    if not verdict.right or overtaken(found, now):
        return "password"
    if not now.is_active:
        return "inactive"
    if not now.clinic_is_active:
        return "clinic_inactive"
    if client == "display" and now.role != Role.VIEWER:
        return "display_not_viewer"
    return SUCCEEDED


async def open_session(session: WriteSession, sessions: Sessions, account: Account, attempt: Attempt) -> SignedIn:
    """A new session for the user, in the caller's transaction."""
    opened = await sessions.create(
        session,
        user_id=account.id,
        clinic_id=account.clinic_id,
        client=attempt.client,
        ip=attempt.ip,
        user_agent=attempt.user_agent,
    )
    return signed_in(opened, account)


def signed_in(opened: Opened, account: Account) -> SignedIn:
    """The user, and the session that was opened for them."""
    return SignedIn(
        token=opened.token,
        session_id=opened.session_id,
        user_id=account.id,
        username=account.username,
        email=account.email,
        role=Role(account.role),
        clinic_id=account.clinic_id,
        timezone=account.timezone,
        expires_at=opened.expires_at,
        idle_seconds=opened.idle_seconds,
    )


async def sign_out(session: WriteSession, actor: Actor) -> None:
    """End the actor's own session; once more does nothing."""
    if await records.revoke(session, user_id=actor.user_id, session_id=actor.session_id):
        await record(session, actor, "session.ended", "session", actor.session_id, clinic_id=actor.clinic_id)


def wrong_credentials() -> NotAuthenticated:
    """The refusal of a sign-in, the same whatever the reason."""
    return NotAuthenticated("The user name or the password is wrong.", code="invalid_credentials")
