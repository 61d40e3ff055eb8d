"""ETag, If-None-Match, If-Match."""

import re
from typing import Annotated

from fastapi import Depends, Header

LONGEST = 4096
"""Bytes of header that are looked at."""

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_REVISION = re.compile(r'"([1-9][0-9]{0,8})"')


def matches(if_none_match: str | None, etag: str) -> bool:
    """Weak comparison, as If-None-Match wants it (RFC 9110, 13.1.2)."""
    if not if_none_match:
        return False
    if if_none_match.strip() == "*":
        return True
    opaque = etag.removeprefix("W/").strip('"')
    return any(found == opaque for found in _TAG.findall(if_none_match[:LONGEST]))


def revision_etag(revision: int) -> str:
    return f'"{revision}"'


async def if_match(
    header: Annotated[
        str | None, Header(alias="If-Match", description="The ticket's ETag as it was read.", examples=['"3"'])
    ] = None,
) -> int | None:
    """The revision sent; None where none was, or `*`: whoever writes must have read. 0, which none matches, else."""
    if header is None or header.strip() == "*":
        return None
    found = _REVISION.fullmatch(header.strip())
    return int(found.group(1)) if found else 0


IfMatch = Annotated[int | None, Depends(if_match)]
"""Compared under the row's lock, after idempotency: None is RevisionRequired, another one RevisionMismatch."""
