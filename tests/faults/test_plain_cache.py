"""Routes with fastapi-cache2's plain `@cache` while Redis is killed, hung and started again."""

from collections.abc import AsyncIterator

import pytest

from core.settings import Settings
from tests.api.fastapi_cache.test_key_builder import Counted, application
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.servers import Away, Breakable


@pytest.fixture
async def counted(on_own_redis: Settings, seed: Seed) -> AsyncIterator[Counted]:
    async with application(on_own_redis, seed) as made:
        yield made


@pytest.mark.parametrize(
    "away",
    [
        pytest.param(Breakable.killed, id="killed"),
        pytest.param(Breakable.hung, id="hung"),
    ],
)
async def test_it_goes_on_without_an_error_and_knows_of_every_write(
    counted: Counted, redis_server: Breakable, connection: rows.Connection, seed: Seed, away: Away
) -> None:
    tickets = 0

    async def write_and_read() -> None:
        nonlocal tickets
        await rows.ticket(connection, seed.sant.id, seed.sant.patient_id, seed.sant.surgery_id)
        counted.runtime.versions.distrust()
        tickets += 1
        read = [await counted.get("/count", user) for user in ("sant", "sant", "sant2", "maga", "maga")]
        assert [body["tickets"] for body, _ in read] == [tickets, tickets, tickets, 0, 0]
        assert (read[1][1], read[4][1]) == ("HIT", "HIT")

    await write_and_read()
    async with away(redis_server):
        await write_and_read()
        await write_and_read()
    await write_and_read()
