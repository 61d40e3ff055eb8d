"""Headers as RFC 9110 reads them: a list's lines are one list (5.3), and what is no list comes once."""

from starlette.datastructures import Headers
from starlette.types import Scope

SINGLE = (b"authorization", b"content-type", b"idempotency-key", b"origin", b"sec-fetch-site")
"""Those that are read here and take one value. Two are none: this service and a proxy could each believe another."""


def listed(headers: Headers, name: str) -> str | None:
    """All lines of a header that is a list; None where there is none."""
    lines = headers.getlist(name)
    return ", ".join(lines) if lines else None


def repeated(scope: Scope) -> str | None:
    """The name of a header that comes more often than it may."""
    sent = [name for name, _ in scope["headers"] if name in SINGLE]
    return next((name.decode() for name in SINGLE if sent.count(name) > 1), None) if len(sent) > 1 else None
