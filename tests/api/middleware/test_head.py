"""HEAD wherever GET is: the same status and headers, and no body."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.machine import PATIENCE

PASSING = frozenset({"x-request-id", "server-timing", "age", "cache-status"})
"""Headers that differ between any two answers."""


def lasting(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in PASSING}


@pytest.mark.parametrize(
    "path", ["/", "/livez", "/readyz", "/docs", "/openapi.json", "/docs/static/docs.js", "/v1/nothing"]
)
async def test_what_everybody_may_get_everybody_may_head(client: httpx.AsyncClient, path: str) -> None:
    got, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    of_head, same = lasting(head), lasting(got)
    if got.is_error:
        del of_head["content-length"], same["content-length"]  # the problem names its request
    assert of_head == same


async def test_head_of_a_cached_route_tells_of_its_cache(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    first = await admin.head("/v1/dashboard")
    assert first.headers["cache-status"] == "ticket-home; fwd=miss; stored"
    got = await admin.get("/v1/dashboard")
    head = await admin.head("/v1/dashboard")
    assert head.headers["cache-status"].startswith("ticket-home; hit; ttl=")
    assert head.headers["etag"] == got.headers["etag"]
    assert (head.content, lasting(head)) == (b"", lasting(got))
    assert (await admin.head("/v1/dashboard", headers={"If-None-Match": got.headers["etag"]})).status_code == 304


async def test_it_is_refused_as_get_is(client: httpx.AsyncClient, sign_in: SignIn, seed: Seed) -> None:
    assert (await client.head("/v1/tickets")).status_code == 401
    viewer = await sign_in(seed.sant.viewer)
    assert (await viewer.head("/v1/dashboard")).status_code == 403
    assert (await viewer.head(f"/v1/tickets?clinic_id={seed.maga.id}")).status_code == 404
    assert (await viewer.head("/v1/tickets?nonsense=1")).status_code == 422
    answer = await viewer.head("/v1/fpa/preview")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


async def test_of_a_download_only_the_head_is_made(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    await seed.sant.ticket(connection)
    admin = await sign_in(seed.sant.admin)
    for name in ("tickets.csv", "tickets.xlsx"):
        answer = await admin.head(f"/v1/exports/{name}")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-disposition"].startswith("attachment")


async def test_a_stream_without_an_end_ends(app: FastAPI, client: httpx.AsyncClient) -> None:
    ended = asyncio.Event()

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def for_ever() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"again "
                    await asyncio.sleep(0)
            finally:
                ended.set()

        return StreamingResponse(for_ever())

    async with asyncio.timeout(PATIENCE):
        assert (await client.head("/endless")).content == b""
        await ended.wait()


async def test_it_counts_as_itself_and_the_contract_does_not_name_it(client: httpx.AsyncClient, app: FastAPI) -> None:
    await client.head("/livez")
    text = (await client.get("/metrics")).text
    assert 'ticket_home_request_seconds_count{method="HEAD",route="/livez",status="200"} 1.0' in text
    assert not [path for path, item in app.openapi()["paths"].items() if "head" in item]
