"""The record of a session: statements on `user_session`. What requests read of it is in copies.py."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text, update

from core.db.transaction import ReadSession, WriteSession
from core.sessions.models import UserSession

LONGEST_ADDRESS = 45
LONGEST_AGENT = 200

# Locked in one order, or two processes that write the same sessions could wait for each other.
SEEN = text("""
WITH locked AS (
    SELECT s.id, seen.at
    FROM unnest(CAST(:digests AS bytea[]), CAST(:times AS float8[])) AS seen (token_hash, at)
    JOIN user_session s USING (token_hash)
    ORDER BY s.id FOR NO KEY UPDATE OF s
)
UPDATE user_session s SET last_seen_at = greatest(s.last_seen_at, to_timestamp(locked.at))
FROM locked WHERE s.id = locked.id RETURNING s.token_hash
""")


async def last_seen(session: ReadSession, digest: bytes) -> float | None:
    """Epoch seconds; None where there is no such session."""
    seen = select(func.extract("epoch", UserSession.last_seen_at)).where(UserSession.token_hash == digest)
    found = (await session.execute(seen)).scalar_one_or_none()
    return None if found is None else float(found)


async def write_last_seen(session: WriteSession, seen: Mapping[bytes, float]) -> set[bytes]:
    """Note epoch seconds by digest, never going back. Gives the digests whose session exists."""
    written = await session.execute(SEEN, {"digests": list(seen), "times": list(seen.values())})
    return set(written.scalars())


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session. `token` is for its client alone."""

    token: str
    session_id: int
    expires_at: datetime
    idle_seconds: int | None


async def insert_session(
    session: WriteSession,
    *,
    digest: bytes,
    user_id: int,
    clinic_id: int | None,
    client: str,
    lasts: int,
    idle_seconds: int | None,
    ip: str | None,
    user_agent: str | None,
) -> tuple[int, datetime]:
    """(its id, when it expires: `lasts` seconds from now, on the database's clock)."""
    made = await session.execute(
        insert(UserSession)
        .values(
            token_hash=digest,
            user_id=user_id,
            clinic_id=clinic_id,
            client=client,
            expires_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, lasts),
            idle_seconds=idle_seconds,
            **whence(ip, user_agent),
        )
        .returning(UserSession.id, UserSession.expires_at)
    )
    row = made.one()
    return row.id, row.expires_at


def whence(ip: str | None, user_agent: str | None) -> dict[str, str | None]:
    """The columns that say where a session was opened."""
    agent = (user_agent or "").replace("\x00", "")[:LONGEST_AGENT]
    return {"ip": ip[:LONGEST_ADDRESS] if ip else None, "user_agent": agent or None}


async def revoke(session: WriteSession, *, user_id: int, session_id: int) -> bool:
    """End one session of this user. False where they have none of that id that is still open."""
    return bool(await _revoke(session, UserSession.user_id == user_id, UserSession.id == session_id))


async def revoke_all(session: WriteSession, *, user_id: int, but: int | None = None) -> list[int]:
    """End all sessions of this user, except the one with the id `but`; gives the ids of those ended."""
    kept = [UserSession.id != but] if but is not None else []
    return await _revoke(session, UserSession.user_id == user_id, *kept)


async def revoke_clinic(session: WriteSession, *, clinic_id: int) -> list[int]:
    """End all sessions in this clinic; gives the ids of those ended."""
    return await _revoke(session, UserSession.clinic_id == clinic_id)


async def _revoke(session: WriteSession, *conditions: Any) -> list[int]:
    ended = await session.execute(
        update(UserSession)
        .where(UserSession.revoked_at.is_(None), *conditions)
        .values(revoked_at=func.now())
        .returning(UserSession.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(ended.scalars())


async def open_sessions(session: ReadSession, user_id: int) -> Iterable[UserSession]:
    """This user's sessions that are neither revoked nor expired nor idle too long, the newest first.

    Last seen may be five minutes behind here, so the idle ones stay that much longer.
    """
    idle = func.make_interval(0, 0, 0, 0, 0, 5, UserSession.idle_seconds)
    return await session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > func.now(),
            UserSession.idle_seconds.is_(None) | (UserSession.last_seen_at + idle > func.now()),
        )
        .order_by(UserSession.id.desc())
    )
