"""Routes with fastapi-cache2's plain `@cache` while Redis, or the database, is away and comes again."""

from collections.abc import AsyncIterator

import pytest

from core.settings import Settings
from tests.api.fastapi_cache.counted_routes import Counted, application
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.servers.breakable import Away, Breakable
from tests.support.signing_in import sign_in


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
        await seed.sant.ticket(connection)
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


async def test_the_services_own_are_labelled_stale_while_the_database_is_away(
    on_own_postgres: Settings, postgres_server: Breakable, own_seed: Seed
) -> None:
    paths = ("/v1/urgency-thresholds", "/v1/discharge-blocks")
    async with running(on_own_postgres) as (app, client):
        await sign_in(client, own_seed.sant.viewer)
        before = {path: await client.get(path) for path in paths}
        async with postgres_server.killed():
            await machine.until(lambda: not app.state.runtime.versions.is_fresh())
            for path, good in before.items():
                # A 304 would hide the label.
                answer = await client.get(path, headers={"If-None-Match": good.headers["etag"]})
                assert (answer.status_code, answer.content) == (200, good.content)
                assert "fwd=stale; detail=database-unavailable" in answer.headers["cache-status"]
                assert int(answer.headers["age"]) >= 0

        async def is_whole() -> bool:
            return "stale" not in (await client.get(paths[0])).headers["cache-status"]

        await machine.until(is_whole)
