"""What lies in Redis is used only if this installation put it there, under the very key that it is found under.

Whoever else can write to Redis could otherwise put any answer before users, give one clinic's to another, or make
themselves superuser. A seal is checked once, where a value enters memory; it takes a few microseconds.
"""

import hmac
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

MAGIC: Final = b"th2 "
SIZE: Final = 16
"""Bytes of the seal itself."""
BODY: Final = len(MAGIC) + SIZE


class Seals:
    """Makes and checks seals. `secret_keys`: the first one seals, all verify."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        # Keyed once: a copy costs less than a new one. A key of any length is taken, a short or a long one as well.
        self._keyed = [
            blake2b(digest_size=SIZE, key=blake2b(secret.encode(), person=b"redis").digest()) for secret in secret_keys
        ]

    def seal(self, key: str, value: bytes) -> bytes:
        """`value` as it may lie under `key`, which has the installation's prefix in it, and nowhere else."""
        return MAGIC + self._seal_of(0, key, value) + value

    def unseal(self, key: str, raw: bytes | None) -> bytes | None:
        """The value; None for what is absent, garbage, cut short, another key's or another installation's."""
        if raw is None or not raw.startswith(MAGIC) or len(raw) < BODY:
            return None
        seal, value = raw[len(MAGIC) : BODY], raw[BODY:]
        for number in range(len(self._keyed)):
            if hmac.compare_digest(self._seal_of(number, key, value), seal):
                return value
        return None

    def _seal_of(self, number: int, key: str, value: bytes) -> bytes:
        named = key.encode()
        made = self._keyed[number].copy()
        # With the key's length: no key and value run together into another pair.
        made.update(len(named).to_bytes(4, "big") + named)
        made.update(value)
        return made.digest()
