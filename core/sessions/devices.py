"""Devices that a user has signed in from before, recognised by a signed cookie (OWASP, "Device Cookies").

The cookie signs nobody in. Failed sign-ins of the users that it names are counted for the device instead of for the
address: others at that address cannot lock them out. A ward's computer serves many, so the cookie names the last users
of it, and not only the last one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from itsdangerous import BadData, URLSafeTimedSerializer

LIFE = 365 * 86400
"""Seconds."""
USERS = 30
"""Those who signed in last."""
LONGEST = 1024
"""Characters of a cookie that is looked at."""
SALT = "ticket-home device"


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that somebody has signed in at, as its signed cookie tells."""

    name: str
    """Random, and in the cookie alone."""
    users: tuple[int, ...] = ()
    """Ids of those who have signed in there, the last one first."""

    def is_of(self, user_id: int | None) -> bool:
        """Whether that user has signed in there."""
        return user_id in self.users

    def used_by(self, user_id: int) -> "Device":
        """The device after this user has signed in there: USERS at most are remembered."""
        others = (other for other in self.users if other != user_id)
        return Device(self.name, (user_id, *others)[:USERS])


class Devices:
    """Reads and writes the cookie that names a device. `secret_keys`: the first signs, all verify."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        # itsdangerous signs with the last of its keys.
        self._serializer = URLSafeTimedSerializer(
            list(reversed(secret_keys)),
            salt=SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
        )

    def read(self, cookie: str | None) -> Device:
        """The device that we named there; a new one for anything else, whatever it is."""
        try:
            if cookie and len(cookie) <= LONGEST:
                name, *users = self._serializer.loads(cookie, max_age=LIFE)
                return Device(name, tuple(users))
        except BadData:
            pass  # forged, cut off, too old, or signed with a key that is gone: it is not known
        return Device(secrets.token_urlsafe(12))

    def write(self, device: Device) -> str:
        """The cookie's value."""
        return str(self._serializer.dumps([device.name, *device.users]))
