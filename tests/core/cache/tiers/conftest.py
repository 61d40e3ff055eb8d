import secrets
from collections.abc import AsyncIterator

import pytest

from core.cache.keys import Keys
from core.cache.tiers.redis import RedisTier
from core.cache.tiers.seals import Seals
from tests.core.cache.tiers.any_tier import KINDS, AnyTier
from tests.support.servers.cluster import Cluster


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Of KINDS: each test says by its parameters which it asks."""
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest) -> str:
    if not kind.endswith("cluster"):
        return str(request.getfixturevalue("redis_url"))
    cluster: Cluster = request.getfixturevalue("redis_cluster")
    return cluster.url


@pytest.fixture
def prefix() -> str:
    """Of keys, so that these are nobody else's."""
    return f"t{secrets.token_hex(6)}"


@pytest.fixture
async def tier(kind: str, url: str, prefix: str) -> AsyncIterator[AnyTier]:
    redis = RedisTier(url, Keys(prefix), Seals(["a secret of these tests"]))
    yield KINDS[kind](redis)
    await redis.close()


@pytest.fixture
async def elsewhere(kind: str, url: str, prefix: str) -> AsyncIterator[AnyTier]:
    """The same tier in another process."""
    redis = RedisTier(url, Keys(prefix), Seals(["a secret of these tests"]))
    yield KINDS[kind](redis)
    await redis.close()
