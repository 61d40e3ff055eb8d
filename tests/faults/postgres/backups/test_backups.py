"""The two ways to bring a backup back that put another database in the old one's place: a dump in a new one, and
recovery to a point in time. Both as docs/operations.md says; restores in place are in test_restores.py."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from core.clock import boottime
from core.db.schema.migrate import upgrade
from core.operations.doctor.configuration import Addresses
from core.operations.doctor.examine import examine
from core.operations.doctor.finding import Verdict
from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.postgres.backups.archived import Archived
from tests.faults.postgres.backups.restoring import PROGRAMS, Backup
from tests.support.machine import until
from tests.support.servers.breakable import Breakable
from tests.support.servers.databases import administer, database_named
from tests.support.signing_in import sign_in

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

DOCTORS, ME = "/v1/doctors", "/v1/auth/me"
KEPT, LOST = "Dr. Kept", "Dr. Lost"


async def failures(settings: Settings) -> list[str]:
    """What the doctor finds wrong."""
    found = [finding async for finding in examine(Addresses.of(settings))]
    return [str(finding) for finding in found if finding.verdict is Verdict.FAILED]


async def names(client: httpx.AsyncClient) -> list[str]:
    answer = await client.get(DOCTORS)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


async def is_answered(client: httpx.AsyncClient) -> bool:
    """503 is what comes until connections are there again."""
    return (await client.get(DOCTORS)).status_code != 503


@asynccontextmanager
async def signed_in(app: FastAPI, username: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ticket-home.test") as client:
        await sign_in(client, username)
        yield client


async def test_a_dump_under_load_is_a_moment_of_it_in_a_new_database_beside_the_old_redis(
    on_own_postgres: Settings, own_database: str, own_seed: Seed, tmp_path: Path
) -> None:
    written: list[str] = []
    async with running(on_own_postgres) as (app, _), signed_in(app, own_seed.superuser) as superuser:
        bearer = dict(superuser.headers)

        async def write() -> None:
            while True:
                name = f"Dr. {len(written):05}"
                body = {"clinic_id": own_seed.sant.id, "name": name}
                assert (await superuser.post(DOCTORS, json=body)).status_code == 201
                written.append(name)
                await names(superuser)

        writing = asyncio.create_task(write())
        await until(lambda: len(written) > 5 or writing.done())
        before = len(written)
        command = [str(PROGRAMS / "pg_dump"), "--format", "custom", "--file", str(tmp_path / "dump"), own_database]
        dumping = await asyncio.create_subprocess_exec(*command)
        assert await dumping.wait() == 0
        after = len(written) + 1
        await until(lambda: len(written) > after + 5 or writing.done())
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        async with signed_in(app, own_seed.sant.viewer) as viewer:
            lost = dict(viewer.headers)
            await names(viewer)
    name = f"{make_url(own_database).database}_restored"
    await administer(own_database, f"CREATE DATABASE {name}")
    restored = database_named(own_database, name)
    await asyncio.to_thread(Backup(restored, tmp_path / "dump").restore, "--exit-on-error")
    await asyncio.to_thread(upgrade, restored)
    settings = on_own_postgres.model_copy(update={"database_url": SecretStr(restored)})
    assert await failures(settings) == []
    async with running(settings) as (_, client):
        assert (await client.get(ME, headers=lost)).status_code == 401
        client.headers.update(bearer)
        found = [name for name in await names(client) if name in written]
        assert found == written[: len(found)]
        assert before <= len(found) <= after
    await administer(own_database, f"DROP DATABASE {name} WITH (FORCE)")


async def test_recovery_to_a_point_in_time_loses_what_came_after_and_processes_that_stayed_know_it(
    on_own_postgres: Settings,
    own_database: str,
    own_seed: Seed,
    postgres_folder: Path,
    postgres_server: Breakable,
) -> None:
    async with (
        Archived(postgres_folder, postgres_server) as archived,
        running(on_own_postgres) as (app, _),
        signed_in(app, own_seed.sant.admin) as kept,
    ):
        await asyncio.to_thread(archived.back_up)
        await add(own_database, own_seed, KEPT)
        await until(lambda: shows(kept, KEPT))
        await archived.mark()
        await add(own_database, own_seed, LOST)
        await until(lambda: shows(kept, LOST))
        async with signed_in(app, own_seed.sant.viewer) as lost:
            assert LOST in await names(lost)
            await archived.put_back()
            restored_at = boottime()
            await until(lambda: app.state.runtime.versions.true_at() >= restored_at)
            await until(lambda: is_answered(kept))
            for _ in range(3):
                found = await names(kept)
                assert (KEPT in found, LOST in found) == (True, False)
                assert (await lost.get(ME)).status_code == 401
            assert await failures(on_own_postgres) == []


async def shows(client: httpx.AsyncClient, name: str) -> bool:
    return name in await names(client)


async def add(url: str, seed: Seed, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await rows.doctor(connection, seed.sant.id, name=name)
    finally:
        await connection.close()
