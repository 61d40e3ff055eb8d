"""`Cache-Version`: the versions that a write made, signed, so that a client can ask for them but not invent any."""

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256

from core.cache.versions.vector import Vector
from core.telemetry.trace import VersionRow

MAC_DIGITS = 16
LONGEST = 4096
"""Bytes of header that are looked at."""


class VersionHeader:
    """`5/tickets=42.9f3c…, 5/figures=7.01ab…`: clinic/topic=version.mac"""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._keys = [sha256(b"cache-version:" + key.encode()).digest() for key in secret_keys]

    def _mac(self, key: bytes, name: str) -> str:
        return hmac.new(key, name.encode(), sha256).hexdigest()[:MAC_DIGITS]

    def word(self, clinic_id: int, topic: str, version: int) -> str:
        """One version, as it stands in the header."""
        name = f"{clinic_id}/{topic}={version}"
        return f"{name}.{self._mac(self._keys[0], name)}"

    def format(self, rows: Iterable[VersionRow]) -> str:
        """The header's value, of LONGEST bytes at most: if all of a large network was invalidated, not all rows fit."""
        words: list[str] = []
        length = 0
        for row in sorted(rows):
            words.append(self.word(*row))
            length += len(words[-1]) + 2
            if length > LONGEST:
                words.pop()
                break
        return ", ".join(words)

    def parse(self, header: str, clinic_id: int | None) -> Vector:
        """The versions in it that a reader of `clinic_id` (None: the network) may require; anything else is ignored.

        Versions without a right MAC are made up: they would let a client make every read miss.
        """
        required: Vector = {}
        for word in header[:LONGEST].split(","):
            name, dot, mac = word.strip().rpartition(".")
            if not dot or not any(
                hmac.compare_digest(self._mac(key, name), mac) for key in self._keys if mac.isascii()
            ):
                continue
            row, _, version = name.rpartition("=")
            clinic, _, topic = row.partition("/")
            if clinic_id is None or int(clinic) in (0, clinic_id):
                required[int(clinic), topic] = max(int(version), required.get((int(clinic), topic), 0))
        return required
