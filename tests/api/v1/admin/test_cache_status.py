"""`GET /v1/admin/cache`: what a superuser sees of all processes, and of Redis."""

from typing import Any

import httpx
import pytest

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories.fixtures import Seed
from tests.support import machine


def row(status: dict[str, Any], policy: str, tier: str) -> dict[str, Any]:
    return next(row for row in status["policies"] if (row["policy"], row["tier"]) == (policy, tier))


async def test_hits_and_misses_are_told_per_policy_and_tier(sign_in: SignIn, seed: Seed) -> None:
    user, superuser = await sign_in(seed.sant.viewer), await sign_in(seed.superuser)
    for _ in range(4):
        assert (await user.get("/v1/doctors")).status_code == 200
    began = machine.now()
    answer = await superuser.get("/v1/admin/cache")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    status = answer.json()
    memory, database = row(status, "doctors", "memory"), row(status, "doctors", "database")
    assert (memory["hits"], memory["misses"], memory["hit_rate"]) == (3, 1, 0.75)
    assert memory["entries"] == 1
    assert memory["bytes"] > 500
    assert (database["misses"], database["errors"]) == (1, 0)
    sessions = row(status, "session", "memory")
    assert (sessions["entries"], sessions["bytes"] > 500) == (2, True)
    assert status["processes"] == 1
    assert status["complete"] is True
    assert status["listening"] is True
    assert 0 <= status["lease_age_seconds"] < machine.bound(2, began)
    assert status["redis"]["available"] is True
    assert status["redis"]["breaker"] == "closed"
    assert status["redis"]["memory_bytes"] > 0
    assert {"clinic_id": 0, "topic": "clinics"}.items() <= status["versions"][1].items()


@pytest.mark.also_on_a_cluster
async def test_entries_in_redis_are_counted(app: Any, sign_in: SignIn, seed: Seed) -> None:
    user, superuser = await sign_in(seed.sant.viewer), await sign_in(seed.superuser)
    await user.get("/v1/doctors")
    await user.get("/v1/doctors?clinic_id=" + str(seed.sant.id))
    await app.state.runtime.cache.drain(5)
    redis = row((await superuser.get("/v1/admin/cache")).json(), "doctors", "redis")
    assert redis["entries"] == 1
    assert redis["bytes"] > 50


@pytest.mark.also_on_a_cluster
async def test_all_live_processes_are_summed_and_one_that_ends_is_not_waited_for(
    app: Any, settings: Settings, sign_in: SignIn, seed: Seed
) -> None:
    superuser = await sign_in(seed.superuser)
    async with running(settings) as (other, _):
        there = await sign_in(seed.sant.viewer, on=other)
        for _ in range(3):
            await there.get("/v1/doctors")
        await other.state.runtime.published.publish_once()
        status = (await superuser.get("/v1/admin/cache")).json()
        assert (status["processes"], status["complete"]) == (2, True)
        assert row(status, "doctors", "memory")["hits"] == 2
    status = (await superuser.get("/v1/admin/cache")).json()
    assert (status["processes"], status["complete"]) == (1, True)


@pytest.mark.parametrize("role", ["admin", "clinical", "viewer"])
async def test_only_a_superuser_sees_it_or_invalidates(sign_in: SignIn, seed: Seed, role: str) -> None:
    user = await sign_in(getattr(seed.sant, role))
    assert (await user.get("/v1/admin/cache")).status_code == 403
    assert (await user.post("/v1/admin/cache/invalidations", json={"nonsense": 1})).status_code == 403


async def test_nobody_sees_it_without_signing_in(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/admin/cache")).status_code == 401
    assert (await client.post("/v1/admin/cache/invalidations", json={})).status_code == 401
