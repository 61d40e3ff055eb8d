"""Many clients at once, and clients that leave: one computation, and nobody pays for another's going."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.cache.flights import joins
from tests.support.cache.settled import settled
from tests.support.servers.proxy import WireProxy
from tests.support.signing_in import sign_in
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]

PATHS = {"doctors": "/v1/doctors", "dashboard": "/v1/dashboard"}
"""Policy → a route of it."""


@pytest.fixture
async def signed(app: FastAPI, client: httpx.AsyncClient, seed: Seed) -> httpx.AsyncClient:
    await sign_in(client, seed.sant.admin)
    await client.get("/v1/auth/me")
    return client


def counted(app: FastAPI, policy: str) -> dict[str, int]:
    """Answers of the policy, by outcome."""
    counts: dict[Any, int] = app.state.runtime.cache.stats.counts
    found: dict[str, int] = {}
    for (name, outcome, _), count in counts.items():
        if name == policy:
            found[outcome] = found.get(outcome, 0) + count
    return found


@pytest.mark.parametrize("policy", PATHS)
async def test_two_hundred_requests_at_an_empty_key_compute_once(
    app: FastAPI, signed: httpx.AsyncClient, policy: str
) -> None:
    answers = await asyncio.gather(*(signed.get(PATHS[policy]) for _ in range(200)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert counted(app, policy)["miss"] == 1
    assert sum("collapsed" in answer.headers["cache-status"] for answer in answers) > 100


@pytest.mark.parametrize("policy", PATHS)
async def test_others_get_the_answer_that_a_client_who_left_had_asked_for(
    app: FastAPI, signed: httpx.AsyncClient, policy: str, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await connection.execute("BEGIN; LOCK TABLE doctor, ticket IN ACCESS EXCLUSIVE MODE")
    come = joins(app.state.runtime.cache.flights)
    first = asyncio.create_task(signed.get(PATHS[policy]))
    await machine.until(lambda: come() == 1)
    others = [asyncio.create_task(signed.get(PATHS[policy])) for _ in range(50)]
    await machine.until(lambda: come() == 51)
    first.cancel()
    await machine.until(first.done)
    await connection.execute("COMMIT")
    answers = await asyncio.gather(*others)
    assert {answer.status_code for answer in answers} == {200}
    assert all("collapsed" in answer.headers["cache-status"] for answer in answers)
    assert counted(app, policy) == {"collapsed": 50}
    assert first.cancelled()
    assert "hit" in (await signed.get(PATHS[policy])).headers["cache-status"]


@pytest.mark.parametrize("policy", PATHS)
async def test_a_hit_after_a_miss_sends_nothing_to_the_database(
    settings: Settings, seed: Seed, database_url: str, policy: str
) -> None:
    """Counted on the wire, session and all; the listener has its own connection beside it."""
    async with WireProxy(database_url) as proxy:
        counting = settings.model_copy(
            update={"database_url": SecretStr(proxy.url), "database_listen_url": SecretStr(database_url)}
        )
        async with running(counting) as (app, client):
            await sign_in(client, seed.sant.admin)
            before = proxy.sent
            miss = await client.get(PATHS[policy])
            assert "fwd=miss" in miss.headers["cache-status"]
            assert proxy.sent > before
            await settled(app.state.runtime)
            before = proxy.sent
            for _ in range(50):
                hit = await client.get(PATHS[policy])
                assert "; hit; " in hit.headers["cache-status"]
                assert "db;" not in hit.headers["server-timing"]
                assert hit.content == miss.content
            assert proxy.sent == before
