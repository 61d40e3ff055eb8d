"""DATABASE_URL leads to a transaction pooler, and DATABASE_LISTEN_URL past it: nothing else changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core import times
from core.db.transaction import ReadSession, WriteSession
from core.errors import Unavailable
from core.operations.doctor.configuration import Addresses
from core.operations.doctor.examine import examine
from core.operations.doctor.finding import Finding, Verdict
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.chaos.faults import KINDS
from tests.faults.chaos.history.checker import table_of
from tests.faults.chaos.run import Chaos
from tests.faults.chaos.site import PooledSite, site
from tests.faults.postgres.pooler import LENT, pooler
from tests.faults.postgres.standby import Demoted
from tests.faults.reader import RECOVERED
from tests.support import machine
from tests.support.processes.commands import environment, refused, run_beside
from tests.support.servers.breakable import Breakable
from tests.support.servers.databases import administer, database_named
from tests.support.servers.proxy import WireProxy
from tests.support.signing_in import sign_in

pytestmark = pytest.mark.long

SEED = 20261124
FAULTS = [name for name in KINDS if "PostgreSQL" in name]
AT_ONCE = 10
VERSION = "SELECT version FROM cache_version WHERE clinic_id = $1 AND topic = 'catalogs'"
LEFT = "SELECT count(*) FROM pg_prepared_statements"
SET = """
SELECT coalesce(current_setting('ticket_home.push', true), '') AS push, current_setting('lock_timeout') AS lock_timeout,
       current_setting('jit') AS jit
"""
ARRAY = "SELECT cardinality(CAST(:ids AS integer[]))"
"""asyncpg asks the server for the type."""


@pytest.fixture
async def pooled(settings: Settings) -> AsyncIterator[Settings]:
    async with through_a_pooler(settings) as made:
        yield made


@asynccontextmanager
async def through_a_pooler(settings: Settings) -> AsyncIterator[Settings]:
    direct = settings.require_database_url()
    async with WireProxy(direct) as behind:
        with pooler(behind) as url:
            yield settings.model_copy(update={"database_url": SecretStr(url), "database_listen_url": SecretStr(direct)})


async def settings_of(runtime: Runtime) -> dict[str, str]:
    async def work(session: ReadSession) -> dict[str, str]:
        return {**(await session.execute(text(SET))).mappings().one()}

    return await runtime.database.read(work)


async def test_many_share_few_connections_and_nothing_of_ours_stays_there(pooled: Settings, database_url: str) -> None:
    assert pooled.database_pool_size > LENT
    await administer(database_url, f"ALTER DATABASE {make_url(database_url).database} SET jit = on")

    async def write(session: WriteSession) -> None:
        await session.execute(text(ARRAY), {"ids": [1, 2]})

    async with open_runtime(pooled) as runtime:
        await asyncio.gather(*(runtime.database.write(write) for _ in range(2 * AT_ONCE)))
        for found in await asyncio.gather(*(settings_of(runtime) for _ in range(20 * AT_ONCE))):
            assert found == {"push": "service", "lock_timeout": "3s", "jit": "off"}
        # Somebody else, on the same connections to PostgreSQL.
        others = [await asyncpg.connect(pooled.require_database_url(), statement_cache_size=0) for _ in range(LENT)]
        for other in others:
            transaction = other.transaction()
            await transaction.start()  # and keeps it, so that the next one is given the other connection
            assert await other.fetchval(LEFT) == 0
            assert dict(await rows.one(other, SET)) == {"push": "", "lock_timeout": "0", "jit": "on"}
        for other in others:
            other.terminate()


async def test_writes_are_read_at_once_and_those_in_sql_by_their_notification(
    pooled: Settings, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(times, "POLL_EVERY", 60.0)
    async with running(pooled) as (app, client):
        await sign_in(client, seed.superuser)
        doctor = (await client.get("/v1/doctors")).json()["items"][0]
        for number in range(AT_ONCE):
            changed = await client.patch(f"/v1/doctors/{doctor['id']}", json={"name": f"Dr. {number}"})
            assert changed.status_code == 200, changed.text
            assert f"Dr. {number}" in (await client.get("/v1/doctors")).text
        assert app.state.runtime.listener.connected
        versions = app.state.runtime.versions
        heard = versions.get(seed.sant.id, "catalogs")
        await connection.execute("UPDATE doctor SET name = 'Dr. SQL' WHERE id = $1", doctor["id"])
        # No poll and no request: it was the notification that told.
        await machine.until(lambda: versions.get(seed.sant.id, "catalogs") > heard)
        assert "Dr. SQL" in (await client.get("/v1/doctors")).text


async def test_who_has_nothing_but_the_pooler_says_that_nobody_tells_it_of_changes(settings: Settings) -> None:
    async with WireProxy(settings.require_database_url()) as behind:
        with pooler(behind) as url:
            polling = settings.model_copy(update={"database_url": SecretStr(url), "database_listen_url": None})
            async with running(polling) as (app, client):
                await machine.until(lambda: app.state.runtime.listener.connected)
                assert (await client.get("/readyz")).json()["push"] is False
                assert "\nticket_home_listener_connected 0.0\n" in (await client.get("/metrics")).text


async def test_an_export_goes_past_the_pooler(pooled: Settings, seed: Seed, connection: rows.Connection) -> None:
    ticket = await seed.sant.ticket(connection)
    async with running(pooled) as (_, client):
        await sign_in(client, seed.sant.admin)
        answer = await client.get("/v1/exports/tickets.csv")
        assert answer.status_code == 200, answer.text
        assert ticket in answer.text


async def test_without_a_way_past_it_versions_are_polled(
    pooled: Settings, seed: Seed, connection: rows.Connection
) -> None:
    async with running(pooled.model_copy(update={"database_listen_url": None})) as (_, client):
        await sign_in(client, seed.sant.admin)
        doctor = (await client.get("/v1/doctors")).json()["items"][0]
        await connection.execute("UPDATE doctor SET name = 'Dr. SQL' WHERE id = $1", doctor["id"])

        async def is_told() -> bool:
            return "Dr. SQL" in (await client.get("/v1/doctors")).text

        await machine.until(is_told, within=2.0)


@pytest.mark.long
async def test_a_backup_put_in_place_behind_it_is_noticed_by_the_next_poll(
    on_own_postgres: Settings, own_seed: Seed, own_database: str, postgres_server: Breakable
) -> None:
    """Its versions are lower, and of older transactions than those last seen: nobody told the client's connection."""
    name = str(make_url(own_database).database)

    def version(runtime: Runtime) -> int:
        return runtime.versions.get(own_seed.sant.id, "catalogs")

    async with WireProxy(own_database) as behind:
        with pooler(behind) as url:
            polling = on_own_postgres.model_copy(
                update={"database_url": SecretStr(url), "database_listen_url": None, "cache_push": False}
            )
            await administer(postgres_server.url, f"CREATE DATABASE {name}_backup TEMPLATE {name}")
            writer = await asyncpg.connect(own_database)
            before = await writer.fetchval(VERSION, own_seed.sant.id)
            await writer.execute("UPDATE doctor SET name = 'Dr. Lost'")
            await writer.close()
            async with open_runtime(polling) as runtime:
                assert version(runtime) > before
                lost, polled = version(runtime), runtime.versions.true_at()
                timeline = runtime.versions.timeline_id
                await administer(
                    postgres_server.url,
                    f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
                    f"ALTER DATABASE {name} RENAME TO {name}_lost",
                    f"ALTER DATABASE {name}_backup RENAME TO {name}",
                )
                # A copy is another timeline: everything is bumped, the backup's versions too.
                await machine.until(lambda: runtime.versions.true_at() > polled and version(runtime) != lost)
                assert runtime.versions.timeline_id != timeline
            await administer(postgres_server.url, f"DROP DATABASE {name}_lost")


async def test_a_standby_behind_the_pooler_is_told_by_the_next_transaction(
    on_own_postgres: Settings, own_seed: Seed, postgres_folder: Path, postgres_server: Breakable
) -> None:
    async with through_a_pooler(on_own_postgres) as pooled, open_runtime(pooled) as runtime:
        await settings_of(runtime)
        async with Demoted(postgres_folder, postgres_server) as standby:
            await refused_until_promoted(runtime, standby)


@pytest.mark.long
async def test_a_pooler_that_met_a_standby_first_is_let_in_after_its_promotion(
    on_own_postgres: Settings, own_seed: Seed, postgres_folder: Path, postgres_server: Breakable
) -> None:
    """It goes on telling each client what that server told it at first, `in_hot_standby` among it."""
    async with (
        Demoted(postgres_folder, postgres_server) as standby,
        through_a_pooler(on_own_postgres) as pooled,
        open_runtime(pooled) as runtime,
    ):
        found = {finding.check: finding async for finding in examine(Addresses.of(pooled))}
        assert "a standby" in found["PostgreSQL"].seen
        await refused_until_promoted(runtime, standby)


async def refused_until_promoted(runtime: Runtime, standby: Demoted) -> None:
    for _ in range(AT_ONCE):
        with pytest.raises(Unavailable):
            await settings_of(runtime)
    await standby.promote()

    async def is_let_in() -> bool:
        try:
            await settings_of(runtime)
        except Unavailable:
            return False
        return True

    await machine.until(is_let_in, within=RECOVERED)


@pytest.mark.long
async def test_no_read_contradicts_the_database_through_a_pooler(tmp_path: Path) -> None:
    async with site(tmp_path, processes=2, clinics=3, of=PooledSite) as made:
        verdict = await Chaos(made, SEED, FAULTS).run(10.0)
    assert not verdict.violations, table_of(verdict)
    assert verdict.reads > 500
    assert verdict.writes > 50


async def test_migrations_go_past_the_pooler_and_say_so_where_they_cannot(pooled: Settings) -> None:
    assert (await run_beside(environment(pooled), "migrate")).returncode == 0
    without = environment(pooled.model_copy(update={"database_listen_url": None}))
    assert "DATABASE_LISTEN_URL" in refused(await run_beside(without, "migrate"))


async def test_the_doctor_tells_of_the_pooler_and_of_what_lacks_beside_it(
    pooled: Settings, seed: Seed, migrated: str
) -> None:
    addresses = Addresses.of(pooled)

    async def found(given: Addresses) -> dict[str, Finding]:
        return {finding.check: finding async for finding in examine(given)}

    well = await found(addresses)
    assert not {name for name, finding in well.items() if finding.verdict is Verdict.FAILED}, well
    assert (well["Addresses"].verdict, well["Notifications"].verdict) == (Verdict.OK, Verdict.OK)
    for listen_url, wrong in (
        (None, "nothing past it"),
        (addresses.database_url, "LISTEN_URL leads to a pooler"),
        (database_named(migrated, "postgres"), "two databases"),
    ):
        finding = (await found(replace(addresses, listen_url=listen_url)))["Addresses"]
        assert finding.verdict is Verdict.FAILED
        assert wrong in finding.seen
        assert "DATABASE_LISTEN_URL" in finding.remedy
