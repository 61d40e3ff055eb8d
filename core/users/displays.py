"""Wall displays: an admin makes a code for a viewer's, and whoever stands at the wall takes it there."""

from core.access import Actor, Role
from core.audit.record import record
from core.db.transaction import Database, WriteSession
from core.errors import Conflict, NotAuthenticated
from core.sessions.display_codes import DisplayCode, new_display_code, take_code, user_of_code
from core.sessions.store import Sessions
from core.users import accounts
from core.users.attempt import SUCCEEDED, Attempt, record_outcome
from core.users.change import hold
from core.users.sign_in import SignedIn, signed_in


async def display_code(session: WriteSession, actor: Actor, user_id: int) -> DisplayCode:
    """A code for a display of the user. Raises NotFound, Forbidden, and Conflict (`not_a_viewer`)."""
    user = await hold(session, actor, user_id)
    if user.role != Role.VIEWER or not user.is_active:
        raise Conflict("Only a viewer who may sign in has displays.", code="not_a_viewer")
    made = await new_display_code(session, user_id=user_id, clinic_id=user.clinic_id)
    changes = {"session_id": [None, made.session_id]}
    await record(session, actor, "user.display_code_made", "user", user_id, clinic_id=user.clinic_id, changes=changes)
    return made


async def sign_in_by_code(database: Database, sessions: Sessions, attempt: Attempt, code: str) -> SignedIn:
    """The display's session, audited as a sign-in. `attempt` has no name: the code tells whose it is.

    Raises NotAuthenticated (`invalid_code`) for what is no code, or none any more. Nobody guesses one, so nothing is
    counted.
    """

    async def decide(session: WriteSession) -> SignedIn | None:
        user_id = await user_of_code(session, code)
        # Before the session's row, as whoever ends a user's sessions does.
        account = await accounts.locked_account(session, user_id) if user_id is not None else None
        if account is None or not account.is_active or not account.clinic_is_active or account.role != Role.VIEWER:
            return None
        opened = await take_code(
            session, code, token=sessions.tokens.issue(), ip=attempt.ip, user_agent=attempt.user_agent
        )
        if opened is None:
            return None
        await record_outcome(session, attempt, account, SUCCEEDED)
        return signed_in(opened, account)

    made = await database.write(decide)
    if made is None:
        raise NotAuthenticated("This is no code, or it was taken, or its ten minutes are over.", code="invalid_code")
    return made
