"""A process that stands still while Redis's answer is on its way, and hears nothing: what it found is too old."""

import asyncio
import time

from pydantic import SecretStr

from core import times
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.cache.cached_reads import process
from tests.support.machine import until
from tests.support.servers.proxy import WireProxy


async def test_an_entry_of_redis_that_arrives_after_the_lease_is_no_hit(
    settings: Settings, seed: Seed, connection: rows.Connection, database_url: str
) -> None:
    async with process(settings) as other, WireProxy(database_url) as proxy:
        assert await other.count(seed.sant.id) == 0
        await other.runtime.cache.drain(3)
        deaf = settings.model_copy(update={"database_listen_url": SecretStr(proxy.url)})
        async with process(deaf) as one:
            versions, redis = one.runtime.versions, one.runtime.redis
            await until(lambda: one.runtime.listener.connected)
            proxy.is_silent = True
            await seed.sant.ticket(connection)
            get_many = redis.get_many

            async def stopped(keys: list[str]) -> list[bytes | None]:
                redis.get_many = get_many  # type: ignore[method-assign]
                found = await get_many(keys)
                time.sleep(1.0)  # noqa: ASYNC251  as a stopped process: nothing runs meanwhile
                return found

            # The lease is fresh when Redis is asked, and has lapsed when its answer is read.
            await asyncio.sleep(times.VERSION_LEASE - 0.2 - versions.lease_age())
            redis.get_many = stopped  # type: ignore[method-assign,assignment]
            answer = await one.read(seed.sant.id)
            assert (answer.entry.body, answer.tier) == (b"1", "database")
            proxy.is_silent = False
