"""Short texts that clients carry for us and can neither read nor change.

A synthetic IV (the construction of RFC 5297): a keyed hash of the text is both what proves it and what the key stream
begins with, so that two texts never share a stream, and no counter or chance is needed. SHAKE-256 with a secret prefix
makes the stream. The same text is sealed the same way each time; its length shows.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256, shake_256

IV = 16
"""Bytes: what a forger must guess."""


class Broken(Exception):
    """It was sealed by none of our keys, for another purpose, or changed on its way."""


@dataclass(frozen=True, slots=True)
class _Keys:
    proof: bytes
    stream: bytes

    def iv(self, text: bytes) -> bytes:
        return hmac.digest(self.proof, text, "sha256")[:IV]

    def crossed(self, iv: bytes, text: bytes) -> bytes:
        """Text to cipher, and back."""
        stream = shake_256(self.stream + iv).digest(len(text))
        return bytes(one ^ other for one, other in zip(text, stream, strict=True))


class Seal:
    def __init__(self, secrets: Sequence[str], purpose: bytes) -> None:
        """The first secret seals, all of them open. What was sealed for one purpose is nothing for another."""

        def derived(secret: str, use: bytes) -> bytes:
            return hmac.digest(secret.encode(), purpose + use, sha256)

        self._keys = [_Keys(derived(secret, b":proof"), derived(secret, b":stream")) for secret in secrets]

    def sealed(self, text: bytes) -> str:
        keys = self._keys[0]
        iv = keys.iv(text)
        return _written(iv + keys.crossed(iv, text))

    def opened(self, sealed: str) -> bytes:
        """Raises Broken."""
        try:
            found = urlsafe_b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4))
        except (NotBase64, UnicodeEncodeError) as error:
            raise Broken from error
        # Python leaves out whatever is no letter of base64, and the last one's spare bits.
        if _written(found) != sealed:
            raise Broken
        iv, cipher = found[:IV], found[IV:]
        for keys in self._keys:
            text = keys.crossed(iv, cipher)
            if hmac.compare_digest(keys.iv(text), iv):
                return text
        raise Broken


def _written(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()
