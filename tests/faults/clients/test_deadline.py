"""One request, one deadline: waits that come one after the other do not add up to more than its two seconds."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.pool import QueuePool

from core.db.transaction import Database, ReadSession
from core.deadline import Deadline, current_deadline
from core.errors import Unavailable
from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.factories.rows import PASSWORD
from tests.faults.reader import DECIDED
from tests.support import machine
from tests.support.answers import assert_unavailable
from tests.support.days import lately
from tests.support.servers.breakable import Breakable, command
from tests.support.signing_in import LOGIN, NEW_PASSWORD, credentials, sign_in

pytestmark = pytest.mark.long

POOL = 3


async def hold(database: Database, seconds: float) -> None:
    """Keep one connection of the pool busy for so many seconds."""

    async def work(session: ReadSession) -> None:
        await session.execute(text(f"SELECT pg_sleep({seconds})"))

    await database.read(work, budget=20)


@pytest.mark.parametrize(
    ("method", "path", "first"),
    [
        ("POST", LOGIN, 1.4),
        # A session is looked up for one second at most.
        ("PUT", "/v1/auth/password", 0.8),
        ("GET", "/v1/surgeries", 0.8),
        ("GET", "/v1/tickets", 0.8),
        ("POST", "/v1/tickets", 0.8),
    ],
)
async def test_waits_for_a_busy_pool_do_not_add_up(
    on_own_redis: Settings, redis_server: Breakable, seed: Seed, method: str, path: str, first: float
) -> None:
    """`first`: seconds until whoever waits gets a connection, within the first wait's own budget."""
    bodies = {
        LOGIN: credentials(seed.sant.viewer),
        "/v1/auth/password": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        "/v1/tickets": {
            "patient": {
                **{"document_type": "passport", "document": "P1", "first_name": "A"},
                **{"last_name": "R", "age": 4, "sex": "F"},
            },
            "surgery_id": seed.sant.surgery_id,
            "surgery_at": lately(),
        },
    }
    three = on_own_redis.model_copy(update={"database_pool_size": POOL})
    async with running(three) as (app, client):
        await sign_in(client, seed.sant.admin)
        database, held = app.state.runtime.database, app.state.runtime.sessions.held
        # The session has to be looked up anew, too.
        await command(redis_server.url, "FLUSHALL")
        for digest in held.of_clinic(seed.sant.id):
            held.drop(digest)
        holding = [asyncio.create_task(hold(database, first)) for _ in range(POOL)]
        pool = database.engine.pool
        assert isinstance(pool, QueuePool)
        await machine.until(lambda: pool.checkedout() == POOL)
        began = machine.now()
        asking = asyncio.create_task(client.request(method, path, json=None if method == "GET" else bodies[path]))
        # It waits for the pool by now, or will at once: the pool tells nobody who waits.
        await asyncio.sleep(0.1)
        # Whatever it asks for next it waits for anew.
        holding += [asyncio.create_task(hold(database, 5)) for _ in range(POOL)]
        answer = await asking
        took = machine.now() - began
        for task in holding:
            task.cancel()
        await asyncio.gather(*holding, return_exceptions=True)
        assert_unavailable(answer)
        assert took < machine.bound(DECIDED, began)


async def test_a_request_whose_time_is_up_begins_nothing_more(settings: Settings, seed: Seed) -> None:
    async with running(settings) as (app, _):
        deadline = Deadline()
        deadline.extend(-5)
        token = current_deadline.set(deadline)
        ran = False

        async def work(session: ReadSession) -> None:
            nonlocal ran
            ran = True

        with pytest.raises(Unavailable):
            await app.state.runtime.database.read(work)
        current_deadline.reset(token)
        await app.state.runtime.database.read(work)
        assert ran
