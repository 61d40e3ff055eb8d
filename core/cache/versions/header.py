"""`Cache-Version`: the versions that a write made, signed, so that a client can ask for them but not invent any."""

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256

from core.cache.versions.vector import Vector
from core.trace import VersionRow

MAC_DIGITS = 16
LONGEST = 4096
"""Bytes of header that are looked at."""


class VersionHeader:
    """`5/tickets=42.9f3c…, 5/figures=7.01ab…`: clinic/topic=version.mac"""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._keys = [sha256(b"cache-version:" + key.encode()).digest() for key in secret_keys]

    def _mac(self, key: bytes, name: str) -> str:
        return hmac.new(key, name.encode(), sha256).hexdigest()[:MAC_DIGITS]

    def format(self, rows: Iterable[VersionRow]) -> str:
        """Ends where a header would become too long: after an invalidation of everything in a large network."""
        words: list[str] = []
        length = 0
        for clinic_id, topic, version in sorted(rows):
            name = f"{clinic_id}/{topic}={version}"
            words.append(f"{name}.{self._mac(self._keys[0], name)}")
            length += len(words[-1]) + 2
            if length > LONGEST:
                words.pop()
                break
        return ", ".join(words)

    def parse(self, header: str, clinic_id: int | None) -> Vector:
        """What a reader of `clinic_id` (None: the network) may require. Anything else in it is ignored.

        A client cannot make versions up: that would be a way to have every read miss.
        """
        required: Vector = {}
        for word in header[:LONGEST].split(","):
            name, dot, mac = word.strip().rpartition(".")
            if not dot or not any(
                hmac.compare_digest(self._mac(key, name), mac) for key in self._keys if mac.isascii()
            ):
                continue
            place, _, version = name.rpartition("=")
            clinic, _, topic = place.partition("/")
            if clinic_id is None or int(clinic) in (0, clinic_id):
                required[int(clinic), topic] = max(int(version), required.get((int(clinic), topic), 0))
        return required
