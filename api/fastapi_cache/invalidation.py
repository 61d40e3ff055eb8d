"""`FastAPICache.clear(namespace)`: a namespace gets a new version, and with it new keys, in every process at once.

A namespace's version is a row of `cache_version` like a table's: topic `ns:<namespace>` of clinic 0. Nothing is
searched or deleted in Redis (`KEYS`, which fastapi-cache2's own backend uses, reads everything that is there, and of a
cluster one node only): what has an old key is never asked for again, and expires.
"""

import re
from collections.abc import Awaitable, Callable
from hashlib import blake2b

from sqlalchemy import text

from core.db.transaction import Database, WriteSession

Bump = Callable[[str], Awaitable[None]]
"""Commits a new version of a namespace."""
SHORT = re.compile(r"[A-Za-z0-9_.-][A-Za-z0-9_.:-]{0,59}")
REMEMBER = text("SELECT cache_remember(ARRAY[CAST(:key AS text)])")


def topic_of(namespace: str) -> str:
    """The namespace's topic: its name, or a digest where a notification could not carry that."""
    return "ns:" + (namespace if SHORT.fullmatch(namespace) else digest_of(namespace))


def topics_of(namespace: str) -> tuple[str, ...]:
    """A key in namespace `a:b` has the versions of `a` and of `a:b`: clearing either ends it, as in fastapi-cache2."""
    parts = [part for part in namespace.split(":") if part]
    return tuple(topic_of(":".join(parts[:end])) for end in range(1, len(parts) + 1))


def bump_with(database: Database) -> Bump:
    """A function that gives a namespace's topic a new version, in a transaction of its own: no answer of that namespace
    is current after it."""

    async def bump(namespace: str) -> None:
        async def work(session: WriteSession) -> None:
            await session.execute(REMEMBER, {"key": f"0/{topic_of(namespace.rstrip(':'))}"})

        await database.write(work)

    return bump


def digest_of(text: str) -> str:
    """24 hex digits."""
    return blake2b(text.encode(), digest_size=12).hexdigest()
