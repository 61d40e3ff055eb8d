"""Codes by which a wall display is signed in: shown to an admin, typed in at the wall within ten minutes, once.

A code stands for a row of `user_session` that no client has a token of yet: what ends its user's sessions ends it, too,
and whoever lists them sees it. Taking the code gives the row a token, and its thirty days; of the code nothing is left.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import ColumnElement, func, select, update

from core.db.transaction import Session, WriteSession
from core.sessions import records
from core.sessions.models import UserSession
from core.sessions.records import Opened
from core.sessions.store import DISPLAY_SECONDS

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: none that is read as another one."""
LENGTH = 12
"""Letters: 60 bits, which nobody guesses in ten minutes."""
GROUP = 4
LASTS = 600
"""Seconds."""
DISPLAY = "display"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


@dataclass(frozen=True, slots=True)
class DisplayCode:
    """What is typed at a wall display, once, to begin its session."""

    code: str
    """`7K3M-9QXD-2HVT`"""
    session_id: int
    """Of the session that it will be."""
    expires_at: datetime
    """When the code does."""


async def new_display_code(session: WriteSession, *, user_id: int, clinic_id: int | None) -> DisplayCode:
    """A code for a display of this user, in the caller's transaction."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    session_id, expires_at = await records.insert_session(
        session, digest=_digest(letters), user_id=user_id, clinic_id=clinic_id, client=DISPLAY, lasts=LASTS,
        idle_seconds=None, ip=None, user_agent=None,
    )  # fmt: skip
    code = "-".join(letters[at : at + GROUP] for at in range(0, LENGTH, GROUP))
    return DisplayCode(code, session_id, expires_at)


async def user_of_code(session: Session, code: str) -> int | None:
    """Whose display the code is for; None where it is none that may be taken."""
    return (await session.execute(select(UserSession.user_id).where(*_open(code)))).scalar_one_or_none()


async def take_code(
    session: WriteSession, code: str, *, token: tuple[str, bytes], ip: str | None, user_agent: str | None
) -> Opened | None:
    """The session that the code stands for, as whose `token` it is (`Tokens.issue`) from now on. None where it is no
    code any more: somebody has taken it, or ended it."""
    own, digest = token
    taken = await session.execute(
        update(UserSession)
        .where(*_open(code))
        .values(
            token_hash=digest,
            last_seen_at=func.now(),
            expires_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, DISPLAY_SECONDS),
            **records.whence(ip, user_agent),
        )
        .returning(UserSession.id, UserSession.expires_at)
        .execution_options(synchronize_session=False)
    )
    row = taken.one_or_none()
    return None if row is None else Opened(own, row.id, row.expires_at, None)


def _open(code: str) -> tuple[ColumnElement[bool], ...]:
    digest = _digest(code.upper().translate(_READ_AS))
    return UserSession.token_hash == digest, UserSession.revoked_at.is_(None), UserSession.expires_at > func.now()


def _digest(letters: str) -> bytes:
    return sha256(b"ticket-home display code " + letters.encode()).digest()
