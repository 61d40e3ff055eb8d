"""Parts of the network's dashboard in a Redis Cluster."""

import pytest

from core.runtime import Runtime
from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.support.servers.cluster import Cluster
from tests.support.signing_in import sign_in


@pytest.fixture
def redis_url(redis_cluster: Cluster) -> str:
    return redis_cluster.url


async def test_the_networks_parts_come_from_all_slots_at_once(settings: Settings, seed: Seed) -> None:
    """Clinics lie in different slots: a superuser's dashboard looks for all their entries."""
    async with running(settings) as (app, client):
        for username in (seed.sant.admin, seed.maga.admin, seed.superuser):
            await sign_in(client, username)
            answer = await client.get("/v1/dashboard")
            assert "fwd=miss" in answer.headers["cache-status"]
        await app.state.runtime.cache.drain(5)
        assert app.state.runtime.redis.errors == 0
    async with running(settings) as (app, client):
        await sign_in(client, seed.superuser)
        answer = await client.get("/v1/dashboard")
        assert "hit; " in answer.headers["cache-status"]
        assert "detail=redis" in answer.headers["cache-status"]
        runtime: Runtime = app.state.runtime
        slots = {runtime.redis.client.keyslot(runtime.redis.keys.of(number)) for number in range(30)}
        keys = [runtime.redis.keys.of(number, "t") for number in range(30)]
        assert len(slots) == 30
        for key in keys[::2]:
            assert await runtime.redis.set(key, key.encode(), 60)
        expected = [key.encode() if place % 2 == 0 else None for place, key in enumerate(keys)]
        assert await runtime.redis.get_many(keys) == expected
