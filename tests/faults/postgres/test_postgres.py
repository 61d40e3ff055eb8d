"""PostgreSQL killed, hung, read-only, exhausted, restored: labelled answers, 503 in time, recovery by itself."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core.db.transaction import WriteSession
from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.reader import Reader
from tests.support import machine
from tests.support.answers import assert_stale, assert_unavailable
from tests.support.days import lately
from tests.support.servers.breakable import Away, Breakable
from tests.support.servers.databases import administer
from tests.support.signing_in import LOGIN, credentials, sign_in


@pytest.fixture
async def signed(on_own_postgres: Settings, own_seed: Seed) -> AsyncIterator[Reader]:
    async with running(on_own_postgres) as (app, client):
        await sign_in(client, own_seed.sant.viewer)
        answer = await client.get("/v1/doctors")
        assert answer.status_code == 200
        yield Reader(app.state.runtime, client)


@pytest.mark.parametrize(
    "away",
    [
        pytest.param(Breakable.killed, id="killed", marks=pytest.mark.long),
        pytest.param(Breakable.hung, id="hung"),
    ],
)
async def test_cached_reads_are_answered_and_labelled_the_rest_is_503_and_all_recovers(
    signed: Reader, postgres_server: Breakable, own_database: str, own_seed: Seed, away: Away
) -> None:
    etag = (await signed.client.get("/v1/doctors")).headers["etag"]
    async with away(postgres_server):
        assert_unavailable(await signed.decided("/v1/specialties"))  # nobody knows of it yet
        # The lease has run out: from here on nobody can know what is current.
        await machine.until(lambda: not signed.runtime.versions.is_fresh())
        for _ in range(3):
            answer = await signed.decided("/v1/doctors")
            assert_stale(answer)
            assert len(answer.json()["items"]) == 1
        # A 304 would hide the label.
        assert_stale(await signed.client.get("/v1/doctors", headers={"If-None-Match": etag}))
        preview = {"surgery_id": own_seed.sant.surgery_id, "surgery_at": lately()}
        writes = ((LOGIN, credentials(own_seed.sant.viewer)), ("/v1/fpa/preview", preview))
        *reads, signing_in, previewed = await asyncio.gather(
            *(signed.decided("/v1/surgeries") for _ in range(20)),
            *(signed.decided(path, method="POST", json=body) for path, body in writes),
        )
        for answer in reads:
            assert_unavailable(answer)
        for answer in (signing_in, previewed):
            assert answer.status_code in (403, 503), answer.text
    await signed.recovered("/v1/surgeries")
    await signed.recovered("/v1/doctors")
    connection = await asyncpg.connect(own_database)
    await rows.doctor(connection, own_seed.sant.id)
    await connection.close()
    await signed.within_two_seconds(2)


async def test_a_killed_server_loses_nothing_that_was_answered(
    signed: Reader, postgres_server: Breakable, own_seed: Seed
) -> None:
    insert = text("INSERT INTO doctor (clinic_id, name) VALUES (:clinic, 'kept')")

    async def work(session: WriteSession) -> None:
        await session.execute(insert, {"clinic": own_seed.sant.id})

    await signed.runtime.database.write(work)
    await postgres_server.kill()
    await postgres_server.start()
    await signed.recovered("/v1/surgeries")
    await signed.within_two_seconds(2)


async def test_a_server_that_is_read_only_after_a_fail_over_still_answers_reads(
    signed: Reader, postgres_server: Breakable, own_database: str, own_seed: Seed
) -> None:
    name = make_url(own_database).database
    await administer(
        postgres_server.url,
        f"ALTER DATABASE {name} SET default_transaction_read_only = on",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    login = credentials(own_seed.sant.viewer)
    assert_unavailable(await signed.client.post(LOGIN, json=login))
    answer = await signed.client.get("/v1/surgeries")
    assert answer.status_code == 200
    assert "stale" not in answer.headers["cache-status"]
    await administer(
        postgres_server.url,
        f"ALTER DATABASE {name} SET default_transaction_read_only = off",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    assert (await signed.client.post(LOGIN, json=login)).status_code == 200


async def test_an_exhausted_pool_holds_nobody_longer_than_two_seconds(
    on_own_postgres: Settings, own_database: str, own_seed: Seed
) -> None:
    settings = on_own_postgres.model_copy(update={"database_pool_size": 3})
    async with running(settings) as (app, client):
        await sign_in(client, own_seed.sant.viewer)
        signed = Reader(app.state.runtime, client)
        assert (await client.get("/v1/doctors")).status_code == 200
        locking = await asyncpg.connect(own_database)
        await locking.execute("BEGIN; LOCK TABLE surgery, specialty IN ACCESS EXCLUSIVE MODE")
        paths = [f"/v1/{name}" for name in ("surgeries", "specialties", "surgeries?specialty_id=1") * 10]
        waiting = [asyncio.create_task(signed.decided(path)) for path in paths]
        await machine.until(lambda: locking.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        for _ in range(5):
            answer = await signed.client.get("/v1/doctors")
            assert answer.headers["cache-status"].startswith("ticket-home; hit")
        # None of those that wait for a connection has been decided: a hit comes before them all.
        assert not any(one.done() for one in waiting)
        for answer in await asyncio.gather(*waiting):
            assert_unavailable(answer)
        await locking.close()
        await signed.recovered("/v1/surgeries")


async def test_nothing_of_a_lost_timeline_is_served_after_a_restore(
    on_own_postgres: Settings, postgres_server: Breakable, own_database: str, own_seed: Seed
) -> None:
    """Restored from an older backup while the application runs and Redis keeps everything; then history goes on."""
    name = make_url(own_database).database
    backup = f"backup_{name}"
    async with running(on_own_postgres) as (_, before):
        await sign_in(before, own_seed.sant.viewer)
    await administer(postgres_server.url, f"CREATE DATABASE {backup} TEMPLATE {name} STRATEGY file_copy")
    async with running(on_own_postgres) as (app, client):
        client.headers.update(before.headers)
        signed = Reader(app.state.runtime, client)
        insert = text("INSERT INTO doctor (clinic_id, name) VALUES (:clinic, 'Dr. ' || gen_random_uuid())")

        async def work(session: WriteSession) -> None:
            await session.execute(insert, {"clinic": own_seed.sant.id})

        for doctors in range(2, 7):
            await signed.runtime.database.write(work)
            assert len((await client.get("/v1/doctors")).json()["items"]) == doctors
        await restore(postgres_server, name, backup)
        await signed.within_two_seconds(1)
        for doctors in range(2, 7):
            await signed.runtime.database.write(work)
            names = [item["name"] for item in (await client.get("/v1/doctors")).json()["items"]]
            assert len(names) == doctors
            assert len(set(names)) == doctors
        connection = await asyncpg.connect(own_database)
        stored = await connection.fetch("SELECT name FROM doctor WHERE clinic_id = $1", own_seed.sant.id)
        await connection.close()
        assert sorted(names) == sorted(row["name"] for row in stored)


async def test_a_last_good_answer_of_a_lost_timeline_is_given_to_nobody(
    on_own_postgres: Settings, postgres_server: Breakable, own_database: str, own_seed: Seed
) -> None:
    """The database is away again before anybody has asked anew, and a process that has just started knows no better."""
    name = str(make_url(own_database).database)
    backup = f"backup_{name}"
    async with running(on_own_postgres) as (app, client):
        await sign_in(client, own_seed.sant.viewer)
        runtime = app.state.runtime
        await client.get("/v1/specialties")
        await runtime.cache.drain(5)
        await administer(
            postgres_server.url,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
            f"CREATE DATABASE {backup} TEMPLATE {name} STRATEGY file_copy",
        )
        connection = await asyncpg.connect(own_database)
        await rows.doctor(connection, own_seed.sant.id)
        await connection.close()
        signed = Reader(runtime, client)
        await signed.recovered("/v1/doctors")
        assert len((await client.get("/v1/doctors")).json()["items"]) == 2
        await runtime.cache.drain(5)
        lost = runtime.versions.timeline_id
        await restore(postgres_server, name, backup)
        await machine.until(lambda: runtime.versions.timeline_id != lost)
        assert (await client.get("/v1/clinics")).status_code == 200  # an answer of the timeline that is true
        await runtime.cache.drain(5)
        await administer(
            postgres_server.url,
            f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
        async with running(on_own_postgres) as (_, started_later):
            for reader in (client, started_later):
                reader.headers["Authorization"] = client.headers["Authorization"]
                assert_stale(await reader.get("/v1/clinics"))
                assert_unavailable(await reader.get("/v1/doctors"))
        await administer(postgres_server.url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def restore(server: Breakable, name: str | None, backup: str) -> None:
    await administer(server.url, f"DROP DATABASE {name} WITH (FORCE)", f"ALTER DATABASE {backup} RENAME TO {name}")
