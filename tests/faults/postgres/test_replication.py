"""Rows that logical replication brings into stamped tables: they leave no stamp, and are never hidden by a hit."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from core.operations.doctor.finding import Verdict
from core.operations.doctor.tables.triggers import look_at_subscriptions
from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.postgres.otherwise import StartedOtherwise
from tests.support.machine import until
from tests.support.servers.breakable import Breakable
from tests.support.servers.databases import administer, copy_of, database_named
from tests.support.signing_in import sign_in

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

LOGICAL = ("-c", "wal_level=logical", "-c", "max_wal_senders=4", "-c", "max_replication_slots=4")
DOCTORS, DASHBOARD = "/v1/doctors", "/v1/dashboard"
SUBSCRIBE = "CREATE SUBSCRIPTION moved CONNECTION '{}' PUBLICATION moved WITH (create_slot = false, copy_data = false)"
UNSUBSCRIBE = (
    "ALTER SUBSCRIPTION moved DISABLE",
    "ALTER SUBSCRIPTION moved SET (slot_name = NONE)",
    "DROP SUBSCRIPTION moved",
)


@asynccontextmanager
async def copied(folder: Path, server: Breakable, database: str) -> AsyncIterator[str]:
    """A copy of a database beside it, on a server that can publish."""
    publishing, copy = StartedOtherwise(folder), f"copy_{secrets.token_hex(6)}"
    await server.kill()
    await publishing.start(LOGICAL)
    try:
        await administer(server.url, copy_of(str(make_url(database).database), copy))
        yield database_named(server.url, copy)
        await administer(server.url, f"DROP DATABASE {copy} WITH (FORCE)")
    finally:
        await publishing.stop()
        await server.start()


async def names(client: httpx.AsyncClient) -> tuple[list[str], bool]:
    """Of the doctors, and whether the answer was a hit."""
    answer = await client.get(DOCTORS)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]], "hit" in answer.headers["cache-status"]


async def test_what_a_subscription_brings_is_never_hidden_and_hits_come_back_without_it(
    on_own_postgres: Settings, own_database: str, own_seed: Seed, postgres_folder: Path, postgres_server: Breakable
) -> None:
    async with copied(postgres_folder, postgres_server, own_database) as copy:
        there, here = await asyncpg.connect(own_database), await asyncpg.connect(copy)
        await there.execute("CREATE PUBLICATION moved FOR TABLE doctor, ticket")
        await there.execute("SELECT pg_create_logical_replication_slot('moved', 'pgoutput')")
        try:
            settings = on_own_postgres.model_copy(update={"database_url": SecretStr(copy)})
            async with running(settings) as (_, client):
                await sign_in(client, own_seed.sant.admin)
                await until(lambda: is_hit(client))
                await here.execute(SUBSCRIBE.format(libpq(own_database)))
                # Within a poll nothing is a hit any more, and a row is seen as soon as it is there.
                await until(lambda: is_no_hit(client))
                await rows.doctor(there, own_seed.sant.id, name="Dr. Replicated")
                await until(lambda: here.fetchval("SELECT true FROM doctor WHERE name = 'Dr. Replicated'"))
                found, is_a_hit = await names(client)
                assert ("Dr. Replicated" in found, is_a_hit) == (True, False)
                told = await look_at_subscriptions(here)
                assert (told.verdict, "moved writes into doctor, ticket" in told.seen) == (Verdict.FAILED, True)
                # While nobody asks, and no new version is made.
                await rows.doctor(there, own_seed.sant.id, name="Dr. Late")
                await until(lambda: here.fetchval("SELECT true FROM doctor WHERE name = 'Dr. Late'"))
                for statement in UNSUBSCRIBE:
                    await here.execute(statement)
                await until(lambda: is_hit(client))
                assert "Dr. Late" in (await names(client))[0]
                assert (await look_at_subscriptions(here)).verdict is Verdict.OK
        finally:
            await there.execute("SELECT pg_drop_replication_slot('moved') FROM pg_replication_slots")
            await asyncio.gather(there.close(), here.close())


async def is_hit(client: httpx.AsyncClient) -> bool:
    return (await names(client))[1]


async def is_no_hit(client: httpx.AsyncClient) -> bool:
    return not await is_hit(client)


def libpq(url: str) -> str:
    parts = make_url(url)
    return f"host={parts.query['host']} user={parts.username} dbname={parts.database}"
