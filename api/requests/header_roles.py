"""What each header that a request may have means to this service: one table for all who need to know."""

from enum import Enum, auto
from typing import Final, NamedTuple


class Role(Enum):
    """What a header does in the GET of a cached read."""

    KEY = auto()
    """It decides what is answered, and to whom: it is in the key of what is prepared, and in `Vary`."""
    PARAMETER = auto()
    """It comes once, and is looked at each time: it changes from one request to the next, or has to be there."""
    ROUTED = auto()
    """A request that has it is left to the routes."""
    IGNORED = auto()
    """The answer does not depend on it."""


class Header(NamedTuple):
    name: str
    role: Role
    from_pages: bool = False
    """Whether a page of another allowed origin may send it."""


HEADERS: Final = (
    Header("Cookie", Role.KEY),
    Header("Authorization", Role.KEY, from_pages=True),
    Header("Accept-Encoding", Role.KEY),
    Header("Origin", Role.KEY),
    Header("If-None-Match", Role.PARAMETER, from_pages=True),
    Header("Cache-Version", Role.PARAMETER, from_pages=True),
    Header("X-Request-ID", Role.PARAMETER, from_pages=True),
    Header("Host", Role.PARAMETER),
    Header("Sec-Fetch-Site", Role.PARAMETER),
    Header("Content-Type", Role.ROUTED, from_pages=True),
    Header("If-Match", Role.ROUTED, from_pages=True),
    Header("Idempotency-Key", Role.ROUTED, from_pages=True),
    Header("Content-Length", Role.ROUTED),
    Header("Content-Encoding", Role.ROUTED),
    Header("Transfer-Encoding", Role.ROUTED),
    Header("Expect", Role.ROUTED),
    Header("Upgrade", Role.ROUTED),
    Header("Proxy-Connection", Role.ROUTED),  # to the parser it is another name of Connection
    Header("Range", Role.ROUTED),
    Header("If-Range", Role.ROUTED),
    Header("Cache-Control", Role.IGNORED),  # plain `@cache` reads it, which is never prepared
    Header("Connection", Role.IGNORED),  # the parser says what of it counts
    Header("User-Agent", Role.IGNORED),
    Header("X-Goog-IAP-JWT-Assertion", Role.IGNORED),  # on every request behind IAP; sign-in alone reads it
    Header("X-Forwarded-For", Role.IGNORED),
    Header("X-Forwarded-Proto", Role.IGNORED),
    Header("Access-Control-Request-Method", Role.IGNORED),
    Header("Access-Control-Request-Headers", Role.IGNORED),
    Header("Access-Control-Request-Private-Network", Role.IGNORED),
    Header("Last-Event-ID", Role.IGNORED),
    Header("traceparent", Role.IGNORED),  # where it is read nothing is prepared
)
"""Any other is read by nobody."""
ROLES: Final = {header.name.lower().encode(): header.role for header in HEADERS}
VARY: Final = ", ".join(header.name for header in HEADERS if header.role is Role.KEY)
FROM_PAGES: Final = [header.name for header in HEADERS if header.from_pages]
