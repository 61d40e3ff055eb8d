"""The walk of a hit: how many functions of ours it passes from the first middleware to the last byte."""

import sys
from pathlib import Path
from types import FrameType

import httpx
from fastapi import FastAPI

from tests.conftest import SignIn
from tests.factories.fixtures import Seed
from tests.support.asgi import answered_at_once

ROOT = Path(__file__).parents[2]
OURS = (f"{ROOT}/api/", f"{ROOT}/core/")
MOST = 65
"""Calls where the query was read before, as this was written. All headers read by each that asked, it was 83."""
ONCE = {
    "core/db/row_ids.py:row_id": "the clinic is parsed",
    "core/sessions/store.py:Sessions.authenticate": "the session is looked up",
    "api/middleware/added_headers.py:AddedHeaders.add": "the answer's headers are put together",
    "api/middleware/request_log.py:write_request": "the log line is written",
}


def name_of(frame: FrameType) -> str | None:
    """`core/access.py:Actor.narrowed`; None for what is not ours, and for comprehensions, which are no functions."""
    code = frame.f_code
    if not code.co_filename.startswith(OURS) or code.co_name.startswith("<"):
        return None
    return f"{Path(code.co_filename).relative_to(ROOT)}:{code.co_qualname}"


async def test_a_dashboard_hit_is_a_short_walk(app: FastAPI, sign_in: SignIn, seed: Seed) -> None:
    client = await sign_in(seed.superuser)
    query = f"clinic_id={seed.sant.id}"
    for _ in range(2):
        await client.get(f"/v1/dashboard?{query}")
    # Written in another way: a query that was read before is not read again.
    first, again = (walk_to(app, client, query.replace("_", "%5F")) for _ in range(2))
    assert {name: first.count(name) for name in ONCE} == dict.fromkeys(ONCE, 1), first
    assert len(again) <= MOST, "\n".join([f"{len(again)} calls:", *again])


def walk_to(app: FastAPI, client: httpx.AsyncClient, query: str) -> list[str]:
    walk: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (name := name_of(frame)) is not None:
            walk.append(name)

    sys.setprofile(note)
    try:
        sent = answered_at_once(app, client, "/v1/dashboard", query)
    finally:
        sys.setprofile(None)
    assert dict(sent[0]["headers"])[b"cache-status"].startswith(b"ticket-home; hit")
    return walk
