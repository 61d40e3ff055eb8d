"""What an event stream says, in the form of `text/event-stream` (WHATWG HTML, 9.2.5)."""

import random
from collections.abc import Iterable
from enum import StrEnum

from pydantic_core import to_json

COMMENT = b":\n\n"
"""Read by nobody: it shows every proxy on the way that the stream lives, and the service that its client does."""
STALE = b"event: stale\ndata: {}\n\n"
RETRY = (1.0, 5.0)
"""Seconds after which a client whose stream broke off comes back. Each is told another moment between the two, for a
worker's death or a cut cable takes all of its clients at once."""


class End(StrEnum):
    """Why the service ends a stream."""

    SESSION_ENDED = "session_ended"
    """Signed out, revoked, expired or idle; or its user deactivated."""
    ACCESS_CHANGED = "access_changed"
    """The user's role or clinic is another one."""
    UNVERIFIED = "unverified"
    """Nobody could say for minutes whether the session still is one."""
    DEPLOY = "deploy"
    TIME = "time"
    """It has lasted as long as one may."""
    REPLACED = "replaced"
    """The same session has opened newer ones, more than a session may have."""


PAUSES = {
    End.SESSION_ENDED: RETRY,
    End.ACCESS_CHANGED: RETRY,
    End.UNVERIFIED: (5.0, 15.0),
    End.DEPLOY: (0.2, 3.0),
    End.TIME: (0.1, 2.0),
    End.REPLACED: (60.0, 120.0),
}
"""Seconds between which each client is told its own moment to come back."""


def item(clinic_id: int, topic: str, word: str) -> bytes:
    """One version, as JSON. `clinic_id` 0 is the network and global rows, and null there; `word` is the version as
    `Cache-Version` writes it."""
    return to_json({"clinic_id": clinic_id or None, "topic": topic, "version": word})


def change(stream: str, number: int, made: bytes) -> bytes:
    """`made`: what `item` gives. (stream, number) is opaque to clients."""
    return b"id: %s-%d\nevent: change\ndata: %s\n\n" % (stream.encode(), number, made)


def versions(made: Iterable[bytes], *, more: bool) -> bytes:
    """`more`: others follow in another such event."""
    return b'event: versions\ndata: {"versions":[%s],"more":%s}\n\n' % (b",".join(made), b"true" if more else b"false")


def retry(pause: tuple[float, float] = RETRY) -> tuple[bytes, int]:
    """(a line that tells a browser when to come back, the same in milliseconds)."""
    milliseconds = int(random.uniform(*pause) * 1000)  # noqa: S311  no secret
    return b"retry: %d\n" % milliseconds, milliseconds


def end(reason: End) -> bytes:
    line, milliseconds = retry(PAUSES[reason])
    return line + b"event: end\ndata: " + to_json({"reason": reason, "retry_ms": milliseconds}) + b"\n\n"
