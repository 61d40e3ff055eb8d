"""ETag, If-None-Match, If-Match."""

import re
from typing import Annotated

from fastapi import Depends, Header, Request

from api.requests.headers import listed
from core.tickets.verbs.held import Revisions

LONGEST = 4096
"""Bytes of header that are looked at."""

_TAG = re.compile(r'(W/)?"([^"]*)"')
_TAGS = re.compile(r'[\s,]*((W/)?"[^"]*"(\s*(,[\s,]*|$)))+')
_REVISION = re.compile(r"[1-9][0-9]{0,8}")


def matches(if_none_match: str | None, etag: str) -> bool:
    """Weak comparison, as If-None-Match wants it (RFC 9110, 13.1.2)."""
    if not if_none_match:
        return False
    if if_none_match.strip() == "*":
        return True
    opaque = etag.removeprefix("W/").strip('"')
    return any(found == opaque for _, found in _TAG.findall(if_none_match[:LONGEST]))


def revision_etag(revision: int) -> str:
    return f'"{revision}"'


def revisions(if_match: str | None) -> Revisions | None:
    """Those that the header names, by strong comparison (RFC 9110, 13.1.1): a weak tag, and what is no tag of ours, is
    none. None where there is no header, or `*`: whoever writes must have read."""
    if if_match is None or if_match.strip() == "*":
        return None
    sent = if_match[:LONGEST]
    if not _TAGS.fullmatch(sent):
        return frozenset()
    return frozenset(int(tag) for weak, tag in _TAG.findall(sent) if not weak and _REVISION.fullmatch(tag))


async def _if_match(
    request: Request,
    _: Annotated[
        str | None, Header(alias="If-Match", description="The ticket's ETag as it was read.", examples=['"3"'])
    ] = None,
) -> Revisions | None:
    return revisions(listed(request.headers, "if-match"))


IfMatch = Annotated[Revisions | None, Depends(_if_match)]
"""Compared under the row's lock, after idempotency: None is RevisionRequired, others RevisionMismatch."""
