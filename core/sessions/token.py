"""Session tokens: 256 random bits and a signature. The client holds them; servers keep only a SHA-256."""

import secrets
from collections.abc import Sequence
from hashlib import sha256

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

LENGTH = 87
"""Characters: 43 of the random bits, a dot, 43 of the signature."""
REMEMBERED = 20_000
"""Verified tokens kept in memory: a signature costs more than all the rest of a warm request's session."""
SALT = "ticket-home session"


class Tokens:
    """Signed tokens, of which the database knows a digest alone. The first of `secret_keys` signs, all verify."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        # itsdangerous signs with the last of its keys; the settings name the signing one first.
        self._signer = Signer(list(reversed(secret_keys)), salt=SALT, key_derivation="hmac", digest_method=sha256)
        self._verified: dict[str, bytes] = {}

    def issue(self) -> tuple[str, bytes]:
        """(a new token for the client, the digest of its id for us)."""
        identity = secrets.token_bytes(32)
        return self._signer.sign(base64_encode(identity)).decode(), sha256(identity).digest()

    def digest(self, token: str) -> bytes | None:
        """The digest of the id in a token that we signed; None for anything else, whatever it is."""
        known = self._verified.get(token)
        if known is not None:
            return known
        if len(token) != LENGTH or not token.isascii():
            return None
        try:
            identity = base64_decode(self._signer.unsign(token))
        except BadSignature:
            return None
        signature = token.rpartition(".")[2].encode()
        if base64_encode(base64_decode(signature)) != signature:
            # The last character's two spare bits: one session has one token, to the bit.
            return None
        found = sha256(identity).digest()
        if len(self._verified) >= REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = found
        return found
