"""Short texts that clients carry for us and can neither read nor change, by AES-SIV (RFC 5297).

It needs no nonce: the same text is sealed the same way each time, and its length shows.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

IV = 16
"""Bytes in front of the cipher text, by which it is proved."""


class Broken(Exception):
    """It was sealed by none of our keys, for another purpose, or changed on its way."""


class Seal:
    """Text that clients carry and can neither read nor change: AES-SIV (RFC 5297), in a URL's letters."""

    def __init__(self, secrets: Sequence[str], purpose: bytes) -> None:
        """The first secret seals, all of them open. What was sealed for one purpose is nothing for another."""
        # 64 bytes: AES-256, once for the proof and once for the text.
        self._ciphers = [AESSIV(hmac.digest(secret.encode(), purpose + b":siv", "sha512")) for secret in secrets]

    def sealed(self, text: bytes) -> str:
        """In letters that a URL takes. `text` is not empty."""
        return _in_letters(self._ciphers[0].encrypt(text, None))

    def opened(self, sealed: str) -> bytes:
        """The text. Raises Broken."""
        try:
            found = urlsafe_b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4))
        except (NotBase64, UnicodeEncodeError) as error:
            raise Broken from error
        # Python leaves out whatever is no letter of base64, and the last one's spare bits.
        if len(found) <= IV or _in_letters(found) != sealed:
            raise Broken
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(found, None)
            except InvalidTag:
                continue
        raise Broken


def _in_letters(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()
