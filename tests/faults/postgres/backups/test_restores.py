"""A database restored *in place*, while its connections stay: nothing of the timeline that was lost passes as current.

Every kind of restore, seen from two processes: one that wrote what is lost, and one that only read it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.engine import make_url

from core.clock import boottime
from core.db.schema.migrate import upgrade
from core.operations.doctor.configuration import Addresses
from core.operations.doctor.examine import examine
from core.operations.doctor.finding import Verdict
from core.operations.doctor.tables.triggers import look_at_triggers, repair_triggers
from core.runtime import Runtime
from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.postgres.backups.restoring import (
    KEPT,
    LOST,
    WHOLE,
    Backup,
    Connection,
    Restore,
    backed_up,
    data_only,
    one_table_s_rows,
    triggers_lost,
)
from tests.support.machine import until
from tests.support.servers.databases import administer
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]

DASHBOARD, DOCTORS, ME = "/v1/dashboard", "/v1/doctors", "/v1/auth/me"


@dataclass
class Process:
    runtime: Runtime
    admin: httpx.AsyncClient
    lost: httpx.AsyncClient
    """Reader in as a user whom the backup does not have."""

    async def knows_of(self, restored_at: float) -> None:
        """Return once the process's map was read after the restore, or counts as not whole."""
        versions = self.runtime.versions
        await until(lambda: versions.true_at() >= restored_at or not versions.is_whole)

    async def hits_again(self) -> None:
        """Return once a read is a hit: as soon as a poll has seen that all is well."""

        async def hits() -> bool:
            return "; hit" in (await self.admin.get(DASHBOARD)).headers["cache-status"]

        await until(hits)


async def answered(client: httpx.AsyncClient, path: str, **headers: str) -> httpx.Response:
    """The first answer that is not 503, which is what comes until connections are there again."""
    while True:
        answer = await client.get(path, headers=headers)
        if answer.status_code != 503:
            assert answer.status_code == 200, answer.text
            return answer


async def names(client: httpx.AsyncClient, **headers: str) -> list[str]:
    answer = await answered(client, DOCTORS, **headers)
    return [item["name"] for item in answer.json()["items"]]


async def first_with(client: httpx.AsyncClient, name: str) -> None:
    """Return once the list shows that doctor."""

    async def is_listed() -> bool:
        return name in await names(client)

    await until(is_listed)


async def tickets(client: httpx.AsyncClient) -> int:
    answer = await answered(client, DASHBOARD)
    return int(answer.json()["kpis"]["total"])


@pytest.fixture
async def apps(settings: Settings, app: FastAPI) -> AsyncIterator[list[FastAPI]]:
    """Two processes of one installation."""
    async with running(settings) as (other, _):
        yield [app, other]


@dataclass
class Installation:
    processes: list[Process]
    backup: Backup
    superuser: httpx.AsyncClient
    version: dict[str, str]
    """`Cache-Version` of a write that was lost."""

    async def restored(self, restore: Restore, connection: Connection) -> None:
        await restore(connection, self.backup)
        at = boottime()
        for process in self.processes:
            await process.knows_of(at)

    async def look(self) -> None:
        """Each process, asked twice and in each way that clients ask, shows nothing of what was lost."""
        for process in [*self.processes, *self.processes]:
            for headers in ({}, self.version):
                found = await names(process.admin, **headers)
                assert (LOST in found, KEPT in found) == (False, True)
            assert await tickets(process.admin) == 1
            for path in (ME, DASHBOARD, DOCTORS, "/v1/exports/tickets.csv", "/v1/nursing-board"):
                assert (await process.lost.get(path)).status_code == 401, path

    async def write(self, clinic_id: int, name: str) -> None:
        """One process adds a doctor, and every other shows it."""
        made = await self.superuser.post(DOCTORS, json={"clinic_id": clinic_id, "name": name})
        while made.status_code == 503:  # the bumping of every version is under way
            made = await self.superuser.post(DOCTORS, json={"clinic_id": clinic_id, "name": name})
        assert made.status_code == 201, made.text
        for process in self.processes:
            assert name in await names(process.admin, **{"Cache-Version": made.headers["cache-version"]})


@pytest.fixture
async def installation(
    apps: list[FastAPI], connection: Connection, database_url: str, tmp_path: Path, seed: Seed, sign_in: SignIn
) -> Installation:
    """Backed up with a doctor and a ticket; then an admin, a doctor and a ticket came that both processes have kept."""
    await rows.doctor(connection, seed.sant.id, name=KEPT)
    await seed.sant.ticket(connection)
    # As the service would have numbered that one, and the one to come.
    await connection.execute(
        "INSERT INTO ticket_counter SELECT clinic_id, year, max(number) + 1000 FROM ticket GROUP BY 1, 2"
    )
    superuser = await sign_in(seed.superuser, on=apps[0])
    admins = [await sign_in(seed.sant.admin, on=app) for app in apps]
    backup = await backed_up(connection, database_url, tmp_path)
    await rows.user(connection, "lost", "admin", seed.sant.id)
    await seed.sant.ticket(connection)
    made = await superuser.post(DOCTORS, json={"clinic_id": seed.sant.id, "name": LOST})
    assert made.status_code == 201, made.text
    version = {"Cache-Version": made.headers["cache-version"]}
    processes = []
    for app, admin in zip(apps, admins, strict=True):
        lost = await sign_in("lost", on=app)
        for client in (admin, lost):
            assert LOST in await names(client, **version)
            assert await tickets(client) == 2
            assert (await client.get(ME)).status_code == 200
        for path in (DOCTORS, DASHBOARD):
            assert "; hit" in (await admin.get(path)).headers["cache-status"]
        processes.append(Process(app.state.runtime, admin, lost))
    return Installation(processes, backup, superuser, version)


@pytest.mark.parametrize("restore", WHOLE, ids=lambda restore: restore.__name__)
async def test_nothing_of_a_lost_timeline_passes_as_current(
    restore: Restore, installation: Installation, connection: Connection, settings: Settings, seed: Seed
) -> None:
    await installation.restored(restore, connection)
    await installation.look()
    await installation.write(seed.sant.id, "Dr. New")
    for process in installation.processes:
        await process.hits_again()
    found = [finding async for finding in examine(Addresses.of(settings))]
    assert not [str(finding) for finding in found if finding.verdict is Verdict.FAILED]


async def test_where_nothing_can_be_written_what_was_restored_is_computed_for_each_request(
    installation: Installation, connection: Connection, database_url: str
) -> None:
    """Nobody can note the new timeline. Nothing is kept, all is read, and nobody asks without a pause."""
    polls = 0

    async def reads_only(on: str) -> None:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {on}")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
            name,
        )

    await reads_only("on")
    await installation.restored(one_table_s_rows, connection)
    for process in installation.processes:
        take = process.runtime.versions.read_ended

        def counted(*arguments: Any, take: Any = take) -> None:
            nonlocal polls
            polls += 1
            take(*arguments)

        process.runtime.versions.read_ended = counted  # type: ignore[method-assign,assignment]  # it passes all on
    for process in installation.processes:
        for _ in range(3):
            answer = await answered(process.admin, DOCTORS)
            assert LOST not in answer.text
            assert answer.headers["cache-status"] == "ticket-home; fwd=miss"
        assert await tickets(process.admin) == 1
    seconds = asyncio.get_running_loop().time()
    polls = 0
    # Time passes by itself: how many polls come in it is the question.
    await asyncio.sleep(2.5)
    # Two each by both listeners: the one of the second, and one after an attempt.
    assert polls <= 4 * (asyncio.get_running_loop().time() - seconds + 1)
    await reads_only("off")
    for process in installation.processes:
        await process.hits_again()


@pytest.mark.parametrize("restore", [data_only, triggers_lost], ids=lambda restore: restore.__name__)
async def test_where_changes_leave_no_stamp_nothing_is_kept_until_it_is_repaired(
    restore: Restore, installation: Installation, connection: Connection, seed: Seed
) -> None:
    await installation.restored(restore, connection)
    await installation.look()
    # No trigger tells of this, and no process of the write either.
    await connection.execute("UPDATE doctor SET name = 'Dr. Renamed' WHERE name = $1", KEPT)
    for process in installation.processes:
        for _ in range(2):
            answer = await process.admin.get(DOCTORS)
            assert "Dr. Renamed" in answer.text
            assert answer.headers["cache-status"] == "ticket-home; fwd=miss"
    assert (await look_at_triggers(connection)).verdict is Verdict.FAILED
    await repair_triggers(connection)
    await installation.write(seed.sant.id, "Dr. New")
    for process in installation.processes:
        await process.hits_again()


async def cut_off(url: str, *, back: bool) -> None:
    """Have the database refuse all connections, as one that is away; with `back`, have it take them again."""
    name = make_url(url).database
    await administer(url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS {back}")
    await administer(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


async def test_last_good_answers_of_a_restore_that_nobody_watched_are_given_to_nobody(
    settings: Settings, connection: Connection, database_url: str, tmp_path: Path, seed: Seed, sign_in: SignIn
) -> None:
    backup = await backed_up(connection, database_url, tmp_path)
    async with running(settings) as (app, _):
        client = await sign_in(seed.sant.viewer, on=app)
        await rows.doctor(connection, seed.sant.id, name=LOST)
        # It may have been read a moment before.
        await first_with(client, LOST)
    await connection.execute("DROP SCHEMA backup CASCADE")
    await connection.close()
    await asyncio.to_thread(backup.restore, "--clean", "--if-exists")
    await asyncio.to_thread(upgrade, database_url)
    async with running(settings) as (app, _):
        client = await sign_in(seed.sant.viewer, on=app)
        assert (await client.get("/v1/specialties")).status_code == 200
        await cut_off(database_url, back=False)
        try:
            versions = app.state.runtime.versions
            await until(lambda: not versions.is_fresh())
            # What was read since is given, labelled; what was read before the restore is not.
            answer = await client.get("/v1/specialties")
            assert (answer.status_code, "fwd=stale" in answer.headers["cache-status"]) == (200, True)
            assert (await client.get(DOCTORS)).status_code == 503
        finally:
            await cut_off(database_url, back=True)


async def test_a_sign_in_that_a_copy_does_not_have_ends_with_the_copy(
    settings: Settings, connection: Connection, database_url: str, seed: Seed, sign_in: SignIn
) -> None:
    """A login bumps nothing, and a database that is copied keeps every object and version."""
    name = make_url(database_url).database
    await connection.close()
    await cut_off(database_url, back=False)
    await administer(database_url, f"CREATE DATABASE backup_{name} TEMPLATE {name} STRATEGY file_copy")
    await cut_off(database_url, back=True)
    async with running(settings) as (app, _):
        client = await sign_in(seed.sant.admin, on=app)
        assert (await client.get(DOCTORS)).status_code == 200
        await cut_off(database_url, back=False)
        await administer(database_url, f"DROP DATABASE {name} WITH (FORCE)")
        await administer(database_url, f"ALTER DATABASE backup_{name} RENAME TO {name}")
        process = Process(app.state.runtime, client, client)
        await process.knows_of(boottime())
        for path in (ME, DOCTORS, "/v1/exports/tickets.csv"):
            assert (await client.get(path)).status_code == 401, path
