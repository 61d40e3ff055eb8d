"""Headers as RFC 9110 reads them: a list's lines are one list (5.3), and what is no list comes once."""

from starlette.datastructures import Headers

SINGLE = ("authorization", "content-type", "idempotency-key", "origin", "sec-fetch-site")
"""Those that are read here and take one value. Two are none: this service and a proxy could each believe another."""


def listed(headers: Headers, name: str) -> str | None:
    """All lines of a header that is a list; None where there is none."""
    lines = headers.getlist(name)
    return ", ".join(lines) if lines else None


def repeated(headers: Headers) -> str | None:
    """The name of a header that comes more often than it may."""
    return next((name for name in SINGLE if len(headers.getlist(name)) > 1), None)
