"""What each header that a request may have means to this service: one table for all who need to know."""

from enum import Enum, auto
from typing import Final, NamedTuple


class HeaderRole(Enum):
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
    """A request header that is read somewhere, by its name in lower case, and what it does in a cached read's GET."""

    name: str
    role: HeaderRole
    from_pages: bool = False
    """Whether a page of another allowed origin may send it."""


HEADERS: Final = (
    Header("Cookie", HeaderRole.KEY),
    Header("Authorization", HeaderRole.KEY, from_pages=True),
    Header("Accept-Encoding", HeaderRole.KEY),
    Header("Origin", HeaderRole.KEY),
    Header("If-None-Match", HeaderRole.PARAMETER, from_pages=True),
    Header("Cache-Version", HeaderRole.PARAMETER, from_pages=True),
    Header("X-Request-ID", HeaderRole.PARAMETER, from_pages=True),
    Header("Host", HeaderRole.PARAMETER),
    Header("Sec-Fetch-Site", HeaderRole.PARAMETER),
    Header("Content-Type", HeaderRole.ROUTED, from_pages=True),
    Header("If-Match", HeaderRole.ROUTED, from_pages=True),
    Header("Idempotency-Key", HeaderRole.ROUTED, from_pages=True),
    Header("Content-Length", HeaderRole.ROUTED),
    Header("Content-Encoding", HeaderRole.ROUTED),
    Header("Transfer-Encoding", HeaderRole.ROUTED),
    Header("Expect", HeaderRole.ROUTED),
    Header("Upgrade", HeaderRole.ROUTED),
    Header("Proxy-Connection", HeaderRole.ROUTED),  # to the parser it is another name of Connection
    Header("Range", HeaderRole.ROUTED),
    Header("If-Range", HeaderRole.ROUTED),
    Header("Accept", HeaderRole.IGNORED),  # streams of events alone read it
    Header("Cache-Control", HeaderRole.IGNORED),  # plain `@cache` reads it, which is never prepared
    Header("Connection", HeaderRole.IGNORED),  # the parser says what of it counts
    Header("User-Agent", HeaderRole.IGNORED),
    Header("X-Goog-IAP-JWT-Assertion", HeaderRole.IGNORED),  # on every request behind IAP; sign-in alone reads it
    Header("X-Forwarded-For", HeaderRole.IGNORED),
    Header("X-Forwarded-Proto", HeaderRole.IGNORED),
    Header("Access-Control-Request-Method", HeaderRole.IGNORED),
    Header("Access-Control-Request-Headers", HeaderRole.IGNORED),
    Header("Access-Control-Request-Private-Network", HeaderRole.IGNORED),
    Header("Last-Event-ID", HeaderRole.IGNORED),
    Header("traceparent", HeaderRole.IGNORED),  # where it is read nothing is prepared
)
"""Any other is read by nobody."""
ROLES: Final = {header.name.lower().encode(): header.role for header in HEADERS}
VARY: Final = ", ".join(header.name for header in HEADERS if header.role is HeaderRole.KEY)
FROM_PAGES: Final = [header.name for header in HEADERS if header.from_pages]
