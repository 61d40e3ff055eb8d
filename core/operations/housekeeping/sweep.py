"""Deleting what has expired: sessions, and the answers that Idempotency-Keys stand for.

Nothing depends on it but disk space: what has expired counts for nothing while it is still there.
"""

from dataclasses import dataclass

from sqlalchemy import text

from core.db.transaction import Database, WriteSession

ADVISORY_LOCK = 0x737765657073  # "sweeps"
ROWS = 5_000
"""Per transaction: a fraction of a second, so that nobody waits for it, and a stop loses little."""

ALONE = text("SELECT pg_try_advisory_xact_lock(:key)")
# A session that is being used at the very moment is left for the next time.
SESSIONS = text("""
DELETE FROM user_session WHERE id IN (
    SELECT id FROM user_session WHERE expires_at <= now() ORDER BY expires_at LIMIT :rows FOR UPDATE SKIP LOCKED
)
""")
KEYS = text("""
DELETE FROM idempotency_key WHERE (user_id, method, path, key) IN (
    SELECT user_id, method, path, key FROM idempotency_key
    WHERE expires_at <= now() ORDER BY expires_at LIMIT :rows FOR UPDATE SKIP LOCKED
)
""")


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows were deleted. `alone` False: another process was at it, and this one left it to that one."""

    sessions: int = 0
    idempotency_keys: int = 0
    alone: bool = True


async def sweep(database: Database, *, rows: int = ROWS) -> Swept:
    """Delete all that has expired, in short transactions. Raises Unavailable."""
    total = Swept()
    while True:
        done = await database.write(lambda session: _batch(session, rows))
        total = Swept(
            total.sessions + done.sessions, total.idempotency_keys + done.idempotency_keys, total.alone and done.alone
        )
        if not done.alone or max(done.sessions, done.idempotency_keys) < rows:
            return total


async def _batch(session: WriteSession, rows: int) -> Swept:
    # A transaction's lock, not a session's: it holds through a transaction pooler, and a killed process gives it up.
    if not await session.scalar(ALONE, {"key": ADVISORY_LOCK}):
        return Swept(alone=False)
    sessions = await session.execute(SESSIONS, {"rows": rows})
    keys = await session.execute(KEYS, {"rows": rows})
    return Swept(sessions.rowcount, keys.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it
