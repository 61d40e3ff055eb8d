"""What users do with their own account: see and end their sessions, change their password."""

from core.access import Actor
from core.audit.record import record
from core.db.transaction import Database, ReadSession, WriteSession
from core.errors import Invalid, NotAuthenticated, NotFound
from core.sessions import records
from core.sessions.models import UserSession
from core.sessions.store import Sessions
from core.sessions.throttle import Throttle
from core.users import accounts
from core.users.accounts import Account
from core.users.attempt import SUCCEEDED, Attempt, record_outcome, throttled
from core.users.passwords.hashing import Passwords
from core.users.passwords.rules import check_new_password
from core.users.sign_in import SignedIn, open_session

WRONG = "It is not your current password."


async def own_sessions(database: Database, actor: Actor) -> list[UserSession]:
    """Those in which the actor is still signed in, the newest first."""

    async def work(session: ReadSession) -> list[UserSession]:
        return list(await records.open_sessions(session, actor.user_id))

    return await database.read(work)


async def end_session(session: WriteSession, actor: Actor, session_id: int) -> None:
    """End one session of the actor's. Raises NotFound for what is no open session of their own."""
    if not await records.revoke(session, user_id=actor.user_id, session_id=session_id):
        raise NotFound
    await record(session, actor, "session.ended", "session", session_id, clinic_id=actor.clinic_id)


async def end_other_sessions(session: WriteSession, actor: Actor) -> None:
    """End all sessions of the actor's but the one that they ask with."""
    for ended in await records.revoke_all(session, user_id=actor.user_id, but=actor.session_id):
        await record(session, actor, "session.ended", "session", ended, clinic_id=actor.clinic_id)


async def change_password(
    database: Database,
    sessions: Sessions,
    passwords: Passwords,
    throttle: Throttle,
    actor: Actor,
    attempt: Attempt,
    current: str,
    new: str,
) -> SignedIn:
    """Set a new password, end all sessions of the actor and open a new one, for the client that `attempt` names.

    Raises Invalid for a wrong current password (`wrong_password`), or a new one that is not taken; TooManyAttempts.
    """

    async def look_up(session: ReadSession) -> Account | None:
        return await accounts.account(session, actor.user_id)

    found = await database.read(look_up)
    clinic = found.clinic if found else None
    check_new_password(new, username=actor.username, email=actor.email, clinic=clinic)
    async with throttled(database, throttle, attempt, found) as tried:
        made = await _changed(database, sessions, passwords, actor, attempt, found, current, new)
        tried.right = made is not None
    if made is None:
        raise Invalid.field("current_password", "wrong_password", WRONG)
    return made


async def _changed(
    database: Database,
    sessions: Sessions,
    passwords: Passwords,
    actor: Actor,
    attempt: Attempt,
    found: Account | None,
    current: str,
    new: str,
) -> SignedIn | None:
    verdict = await passwords.verify(found.password_hash if found else None, current)
    password_hash = await passwords.hash(new) if verdict.right else None

    async def decide(session: WriteSession) -> SignedIn | None:
        account = await accounts.locked_account(session, actor.user_id, to_change=True)
        if account is None or not account.is_active or not account.clinic_is_active:
            raise NotAuthenticated("The account is not active any more.")
        right = password_hash is not None and found is not None and account.password_hash == found.password_hash
        # Audited like a sign-in: a session left open must not be a way to guess.
        await record_outcome(session, attempt, account, SUCCEEDED if right else "password")
        if password_hash is None or not right:
            return None
        await accounts.set_password_hash(session, account.id, password_hash)
        ended = await records.revoke_all(session, user_id=account.id)
        made = await open_session(session, sessions, account, attempt)
        await record(
            session, actor, "user.password_changed", "user", account.id, clinic_id=account.clinic_id,
            changes={"sessions_ended": [None, len(ended)]},
        )  # fmt: skip
        return made

    return await database.write(decide)
