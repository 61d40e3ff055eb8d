"""A lock on what no row stands for: whoever takes one of the same name waits for the first one's transaction to end."""

from hashlib import sha256

from sqlalchemy import text

from core.db.transaction import WriteSession

LOCK = text("SELECT pg_advisory_xact_lock(CAST(:key AS bigint))")


async def lock_named(session: WriteSession, name: str) -> None:
    """Wait for the lock of this name, and hold it until the transaction ends. Processes and releases share the name."""
    key = int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
    await session.execute(LOCK, {"key": key})
