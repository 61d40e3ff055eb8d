"""Passwords: Argon2id, computed on threads of its own, so that a sign-in never holds up the event loop."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from core.deadline import in_time
from core.errors import Unavailable
from core.users.passwords.legacy_hashes import is_legacy_hash, verify_legacy
from core.users.passwords.placeholders import is_single_sign_on

T = TypeVar("T")

THREADS = 2
"""Each hash takes 64 MiB and one core for some 50 ms."""
UNUSABLE = "!"
"""Stored for an account that has no password: no hash, so that nobody signs in by one."""
WAITING = 64
"""Hashes that may wait for a thread; a flood of sign-ins is refused before it costs seconds."""

_hasher = PasswordHasher(type=Type.ID)


class PasswordVerdict(NamedTuple):
    """Whether a password is right."""

    right: bool
    renewed: str | None = None
    """The right password's hash under today's parameters, where the stored one has others or is Werkzeug's."""


class NewPassword(NamedTuple):
    """A password as it was typed, at which the rules look once more in the transaction, and its hash."""

    text: str
    hash: str


def hash_password(password: str) -> str:
    """Blocks for some 50 ms: for commands and demo data. Requests use `Passwords`."""
    return _hasher.hash(encoded(password))


def encoded(password: str) -> bytes:
    """One form whichever keyboard typed it: `ñ` is one character on some, two on others."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1)
def nobodys_hash() -> str:
    """The hash of a password that nobody has, to be verified for unknown names: they must cost what known ones do."""
    return _hasher.hash(secrets.token_bytes(32))


def verify_password(stored: str | None, password: str) -> PasswordVerdict:
    """Whether `password` is the one whose hash is `stored`. Blocks for some 50 ms; requests use `Passwords`.

    `stored` None, or no hash of ours: it is wrong, and the same time is spent, which tells nobody that there is no such
    user.
    """
    given = encoded(password)
    if is_single_sign_on(password):
        # Published, and not what anybody chose: the old application stored them hashed, too.
        stored = None
    if stored is not None and is_legacy_hash(stored):
        return PasswordVerdict(True, _hasher.hash(given)) if verify_legacy(stored, password) else PasswordVerdict(False)
    try:
        _hasher.verify(stored or nobodys_hash(), given)
    except VerificationError:
        return PasswordVerdict(False)
    except InvalidHashError:
        return verify_password(None, password)
    if stored is None:
        return PasswordVerdict(False)
    return PasswordVerdict(True, _hasher.hash(given) if _hasher.check_needs_rehash(stored) else None)


class Passwords:
    """Hashes and verifies on threads of its own. One per process; `close` ends them.

    `never`: passwords that let nobody in, whatever hash is stored.
    """

    def __init__(self, never: Collection[str] = ()) -> None:
        self._never = {encoded(password) for password in never}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        # Before the first sign-in, whose time would tell that it is the first.
        self._threads.submit(nobodys_hash)
        self._waiting = 0

    async def verify(self, stored: str | None, password: str) -> PasswordVerdict:
        """`verify_password` on a thread. Raises Unavailable where too many wait already."""
        if encoded(password) in self._never:
            stored = None
        return await self._run(lambda: verify_password(stored, password))

    async def hash(self, password: str) -> str:
        """`hash_password` on a thread. Raises Unavailable where too many wait already."""
        return await self._run(lambda: hash_password(password))

    async def new(self, text: str) -> NewPassword:
        """The text with its hash. Raises Unavailable where too many wait already."""
        return NewPassword(text, await self.hash(text))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise Unavailable("Too many people sign in just now.")
        self._waiting += 1
        try:
            return await in_time(asyncio.get_running_loop().run_in_executor(self._threads, work))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """At shutdown: begin no other hash; those under way are left behind."""
        self._threads.shutdown(wait=False, cancel_futures=True)
