"""The head of a hit's answer, as the routes wrote it once and as it is written again."""

import re
from enum import Enum, auto
from typing import Final, NamedTuple

from api.server.heads import Lines


class AnswerForm(Enum):
    """Of a hit's answer: what differs in its head."""

    PLAIN = auto()
    PACKED = auto()
    """The body is compressed."""
    KNOWN = auto()
    """304: the client has it."""

    # Asked for with each hit, and an Enum's own is a function of Python.
    __hash__ = object.__hash__


class MadeHeader(NamedTuple):
    """A header that is made for each answer."""

    name: bytes
    as_it_was: "re.Pattern[bytes]"
    """What the routes write."""
    gaps: bytes
    """The same with gaps. An entry fills those with one %, an answer those with two."""


MADE: Final = (
    MadeHeader(b"etag", re.compile(rb'W/"[0-9a-f]{24}"'), b"%(etag)b"),
    MadeHeader(b"content-length", re.compile(rb"[0-9]+"), b"%(length)d"),
    MadeHeader(
        b"server-timing",
        re.compile(rb'session;dur=[0-9.]+, cache;desc="hit memory";dur=[0-9.]+, total;dur=[0-9.]+'),
        b'session;dur=%%b, cache;desc="hit memory";dur=%%b, total;dur=%%b',
    ),
    MadeHeader(b"x-request-id", re.compile(rb"[A-Za-z0-9._:-]+"), b"%%b"),
    MadeHeader(
        b"cache-status",
        re.compile(rb"ticket-home; hit; ttl=[0-9]+; detail=memory"),
        b"ticket-home; hit; ttl=%%b; detail=memory",
    ),
    MadeHeader(b"age", re.compile(rb"[0-9]+"), b"%%b"),
)
"""In the order in which they come."""
ORDER: Final = {
    200: tuple(made.name for made in MADE),
    304: tuple(made.name for made in MADE if made.name != b"content-length"),
}
GAPS: Final = {made.name: made for made in MADE}
AS_IT_WAS: Final = frozenset(
    b"cache-control vary content-type content-encoding x-content-type-options x-frame-options referrer-policy "
    b"cross-origin-resource-policy strict-transport-security content-security-policy access-control-allow-origin "
    b"access-control-allow-credentials access-control-expose-headers".split()
)
"""Headers that are the same each time. An answer with any other is not prepared."""


def form_of(status: int, lines: Lines) -> AnswerForm:
    """The form of an answer with this status and these header lines."""
    if status == 304:
        return AnswerForm.KNOWN
    return AnswerForm.PACKED if any(name == b"content-encoding" for name, _ in lines) else AnswerForm.PLAIN


def with_gaps(status: int, lines: Lines) -> bytes | None:
    """An answer for `%`, twice, with one more gap before the head, for the server's own, and one after it, for the
    body. None where it is not that of a hit in memory, or has headers that nobody knows here."""
    if tuple(name for name, _ in lines if name not in AS_IT_WAS) != ORDER.get(status):
        return None
    head = b"%%b"
    for name, value in lines:
        made = GAPS.get(name)
        if made is None:
            head += b"%b: %b\r\n" % (name, value.replace(b"%", b"%%%%"))
        elif made.as_it_was.fullmatch(value):
            head += b"%b: %b\r\n" % (name, made.gaps)
        else:
            return None
    return head + b"\r\n%%b"
