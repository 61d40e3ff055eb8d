"""What the head of a request says that decides the answer of a cached read, where it is as plain as a head can be.

Most heads are: GET, HTTP/1.1, no body, and header lines of a name, a colon, at most one blank and visible characters.
Nobody reads such a head in two ways, so it needs no parser to be recognised. Whatever is not of this form is left to
the parser and the routes, and so is every head that nothing is prepared for: only what they have answered is known.
"""

import re
from dataclasses import dataclass
from typing import Final

from api.middleware.envelope import WELL_FORMED
from api.requests.headers.roles import ROLES, HeaderRole
from api.server.heads import is_host

START, END = b"GET /", b" HTTP/1.1"
NAME = re.compile(rb"[a-z0-9-]+")
VISIBLE = bytes(range(0x20, 0x7F))
"""And the blank."""
LONGEST = 4096
"""Bytes of a head that is looked at."""
LINES = 4096
"""Header lines whose meaning is kept: most come again and again."""
REMEMBERED = 512
"""Bytes of the longest of them: they are beside every other bound, and whoever sends them need not be signed in."""
KEY, PARAMETER, ROUTED = HeaderRole.KEY, HeaderRole.PARAMETER, HeaderRole.ROUTED
Key = tuple[bytes, ...]
Meaning = tuple[HeaderRole, str, str]
"""(role, name in lower case, value)"""
UNREAD: Final[Meaning] = (ROUTED, "", "")
"""In place of that of a line that was not met yet."""
UNREADABLE: Final[Meaning] = (ROUTED, "unreadable", "")
"""Of what is no line of the plainest form."""
MEANINGS: Final[dict[bytes, Meaning | None]] = {}
"""Of lines that were read."""


@dataclass(slots=True)
class Said:
    """What one head asks of a cached read."""

    key: Key
    """The first line, and those of the headers that stand in the key, as they were sent and in their order."""
    if_none_match: str | None
    cache_version: str | None
    request_id: bytes | None
    """None where there is none that is taken over."""

    @property
    def size(self) -> int:
        """Bytes of the key."""
        return sum(map(len, self.key))


def said_by(segment: bytes) -> Said | None:
    """What a segment says that is one whole head; None for anything else, and for a head that is the routes' to
    answer."""
    if len(segment) > LONGEST or not segment.endswith(b"\r\n\r\n"):
        return None
    lines = segment[:-4].split(b"\r\n")
    first = lines.pop(0)
    if not (first.startswith(START) and first.endswith(END)):
        return None
    key: list[bytes] = [first]
    once: dict[str, str] = {}
    for line in lines:
        meaning = MEANINGS.get(line, UNREAD)
        if meaning is UNREAD:
            meaning = learnt(line)
        if meaning is None:
            continue
        role, name, value = meaning
        if role is KEY:
            key.append(line)
        elif role is ROUTED or name in once:
            return None
        else:
            once[name] = value
    if "host" not in once:
        return None
    sent = once.get("x-request-id")
    request_id = sent.encode() if sent is not None and WELL_FORMED.fullmatch(sent) else None
    return Said(tuple(key), once.get("if-none-match"), once.get("cache-version"), request_id)


def learnt(line: bytes) -> Meaning | None:
    """Its meaning, which is remembered. All are forgotten where they become too many: those that come again and again
    are soon learnt again, and a line that is new in each request is met once only."""
    meaning = meaning_of(line)
    if len(line) <= REMEMBERED:
        if len(MEANINGS) >= LINES:
            MEANINGS.clear()
        MEANINGS[line] = meaning
    return meaning


def meaning_of(line: bytes) -> Meaning | None:
    """None for a header line that means nothing to a cached read."""
    name, _, value = line.partition(b":")
    name, value = name.lower(), value.removeprefix(b" ")
    if NAME.fullmatch(name) is None or not is_plain(value):
        return UNREADABLE
    role = ROLES.get(name)
    if role is None:
        return None
    if (name == b"connection" and value.lower() != b"keep-alive") or (name == b"host" and not is_host(value)):
        role = ROUTED
    return None if role is HeaderRole.IGNORED else (role, name.decode(), value.decode())


def is_plain(value: bytes) -> bool:
    """Whether it is visible characters, with blanks between them. No pattern: behind Google's proxy each request has a
    line of 800 bytes, which one would look through ten times as long."""
    return bool(value) and not value.translate(None, VISIBLE) and value.strip(b" ") == value
