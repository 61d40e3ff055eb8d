"""ETag, If-None-Match, If-Match."""

import re
from typing import Annotated

from fastapi import Depends, Header, Request

from api.requests.headers.request_headers import headers_of
from core.tickets.change.held import Revisions

LONGEST = 4096
"""Characters of a header that are read; the rest is left."""

_TAG = re.compile(r'(W/)?"([^"]*)"')
_TAGS = re.compile(r'[\s,]*((W/)?"[^"]*"(\s*(,[\s,]*|$)))+')
_REVISION = re.compile(r"[1-9][0-9]{0,8}")


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the client holds this very answer already: If-None-Match by weak comparison (RFC 9110, 13.1.2)."""
    if not if_none_match:
        return False
    if if_none_match.strip() == "*":
        return True
    opaque = etag.removeprefix("W/").strip('"')
    return any(found == opaque for _, found in _TAG.findall(if_none_match[:LONGEST]))


def revision_etag(revision: int) -> str:
    return f'"{revision}"'


def revisions(if_match: str | None) -> Revisions | None:
    """The revisions that If-Match names, by strong comparison (RFC 9110, 13.1.1): weak tags, and tags that are none of
    ours, name none. None where there is no header or `*`: whoever writes must have read what is there."""
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
    return revisions(headers_of(request.scope).if_match)


IfMatch = Annotated[Revisions | None, Depends(_if_match)]
"""Compared under the row's lock, after idempotency: None is RevisionRequired, others RevisionMismatch."""
