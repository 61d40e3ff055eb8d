"""Passwords of the old application: hashes that go on working, plain texts that are hashed, and what is neither."""

import asyncio
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from core.operations.imports.legacy.report import Report
from core.users.passwords.hashing import UNUSABLE, hash_password
from core.users.passwords.legacy_hashes import is_legacy_hash
from core.users.passwords.placeholders import is_placeholder, looks_like_hash

LONGEST_HASH = 255
MOST_THREADS = 8
"""Each takes a core and 64 MiB."""


async def hashed(report: Report, wanted: Sequence[tuple[int, str]], everybodys: Sequence[str]) -> list[str]:
    """What is stored for each of `wanted` (the user's id there, what stands as the password), in their order.

    `everybodys` are those of all users, for a plain text that several share is no password. Plain ones are hashed on
    every core; they are in no message, and in no table of ours.
    """
    loop = asyncio.get_running_loop()
    accounts = Counter(_alike(password) for password in everybodys)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_THREADS), thread_name_prefix="argon2") as threads:

        async def one(legacy_id: int, password: str) -> str:
            flaw = _flaw(password)
            if flaw is None and is_legacy_hash(password):
                return password
            if flaw is None and accounts[_alike(password)] > 1:
                flaw = "a password in plain text that several accounts share: needs a new one"
            report.repaired("user", legacy_id, flaw or "a password in plain text: hashed")
            return UNUSABLE if flaw else await loop.run_in_executor(threads, hash_password, password)

        return list(await asyncio.gather(*(one(*each) for each in wanted)))


def _flaw(password: str) -> str | None:
    """What is wrong with what stands as the password; None for a hash that can be verified, or a plain text."""
    if not password.strip():
        return "without a password: needs a new one"
    if is_legacy_hash(password) and len(password) <= LONGEST_HASH:
        return None
    if looks_like_hash(password):
        return "a password's hash that is broken, or of an unknown kind: needs a new one"
    return "a placeholder and no password: needs a new one" if is_placeholder(password) else None


def _alike(password: str) -> str:
    """One form of passwords that are guessed from one another: they differ in case or outer blanks only."""
    return unicodedata.normalize("NFKC", password).strip().casefold()
