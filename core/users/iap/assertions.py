"""Who Google's Identity-Aware Proxy says that somebody is: a JWT that it adds to each request that it lets through.

Source: https://cloud.google.com/iap/docs/signed-headers-howto. Nothing of an assertion is ever logged: until it expires
it signs its bearer in.
"""

from collections.abc import Sequence
from typing import Any

import jwt

from core.errors import NotAuthenticated
from core.settings.safe import EMAIL
from core.telemetry.log import warn_seldom
from core.users.iap.keys import SigningKeys

ISSUER = "https://cloud.google.com/iap"
ALGORITHM = "ES256"
SKEW = 30.0
"""Seconds by which Google's clock and ours may differ."""
LONGEST = 8192
"""Characters. Google's have less than a thousand."""
CHANGE_THE_READING = frozenset({"crit", "b64"})
"""Members of a header that make the rest mean something else (RFC 7515, 7797): Google sends neither."""
CLAIMS = ("iss", "aud", "exp", "iat", "sub", "email")


class Assertions:
    """Proves assertions for one of `audiences` by the keys at `keys_url`. One per process; `close` ends it."""

    def __init__(self, audiences: Sequence[str], keys_url: str) -> None:
        self._audiences = frozenset(audiences)
        self._keys = SigningKeys(keys_url)

    async def email_of(self, assertion: str) -> str:
        """The email, in lower case, of who an assertion is about.

        Raises NotAuthenticated (`invalid_assertion`), whatever is wrong with it, and Unavailable where the keys cannot
        be fetched.
        """
        try:
            return email_in(await self._proved(assertion))
        except jwt.PyJWTError as error:
            # The kind alone: PyJWT's messages repeat parts of what they are about.
            reason = type(error).__name__
        warn_seldom("assertion refused", reason, reason=reason)
        raise NotAuthenticated("The assertion of single sign-on is not valid.", code="invalid_assertion")

    async def _proved(self, assertion: str) -> dict[str, Any]:
        """The claims of an assertion that is Google's, for us, and valid now. Raises jwt.PyJWTError and Unavailable."""
        if len(assertion) > LONGEST:
            raise jwt.DecodeError("too long")
        header = jwt.get_unverified_header(assertion)
        # Before a key is looked for: what could not be right fetches none.
        if header.get("alg") != ALGORITHM or not CHANGE_THE_READING.isdisjoint(header):
            raise jwt.InvalidAlgorithmError("not as Google signs")
        # An id is looked up, and nothing else: neither it nor `jku`, `jwk` or `x5u` says where a key is.
        key_id = header.get("kid")
        key = await self._keys.key(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise jwt.InvalidKeyError("not a key of the set")
        claims = jwt.decode(
            assertion,
            key,
            algorithms=[ALGORITHM],
            audience=self._audiences,
            issuer=ISSUER,
            leeway=SKEW,
            options={"require": list(CLAIMS)},
        )
        if not isinstance(claims["aud"], str):
            # An assertion for several services is good for each of them: Google makes none.
            raise jwt.InvalidAudienceError("for more than one")
        return claims

    async def close(self, within: float) -> None:
        """At shutdown: let a fetch of keys end, `within` seconds at most."""
        await self._keys.close(within)


def email_in(claims: dict[str, Any]) -> str:
    """The email of who proved claims are about, in lower case. Raises jwt.InvalidTokenError where they name none."""
    email = claims["email"]
    if not claims["sub"] or not isinstance(email, str) or not EMAIL.fullmatch(email):
        raise jwt.InvalidTokenError("no email")
    return email.lower()
