"""`ticket-home cache status` and `invalidate`, as processes on given servers."""

import pytest
from fastapi import FastAPI
from sqlalchemy.engine import make_url

from core.settings import Settings
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import outcome
from tests.support.audit import audits
from tests.support.machine import until
from tests.support.processes.commands import environment, refused, run, run_beside
from tests.support.servers.databases import administer


@pytest.fixture
def operator(settings: Settings) -> dict[str, str]:
    """With the keys and the prefix of what it asks for, at a wide terminal."""
    return environment(settings, COLUMNS="200")


async def test_status_tells_what_the_serving_processes_counted(
    operator: dict[str, str], sign_in: SignIn, seed: Seed
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    for _ in range(3):
        await viewer.get("/v1/doctors")
    shown = await run_beside(operator, "cache", "status")
    assert shown.returncode == 0, shown.stderr
    assert "1 serving process" in shown.stdout
    assert "doctors" in shown.stdout
    assert "hit rate" in shown.stdout


async def test_status_by_another_key_says_that_it_is_not_whole(
    operator: dict[str, str], sign_in: SignIn, seed: Seed
) -> None:
    await sign_in(seed.sant.viewer)
    shown = await run_beside(operator | {"SECRET_KEYS": "another-secret-of-forty-characters-or-so"}, "cache", "status")
    assert shown.returncode != 0
    assert "SECRET_KEYS" in shown.stderr


async def test_invalidate_ends_the_entries_it_names_and_is_audited(
    operator: dict[str, str], sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    sant, maga = await sign_in(seed.sant.viewer), await sign_in(seed.maga.viewer)
    for client in (sant, maga):
        await client.get("/v1/doctors")
    done = await run_beside(operator, "cache", "invalidate", "--clinic", "sant", "--topic", "catalogs")
    assert done.returncode == 0, done.stderr
    assert outcome(await sant.get("/v1/doctors")) == "fwd=miss"
    assert outcome(await maga.get("/v1/doctors")) == "hit"
    (audit,) = await audits(connection, "cache.invalidated")
    assert (audit["username"], audit["clinic_id"]) == ("(command line)", seed.sant.id)
    assert audit["target_id"] == f"{seed.sant.id}/catalogs"


async def test_forget_makes_processes_forget_what_they_keep_for_bad_times_too(
    operator: dict[str, str], app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    for path in ("/v1/doctors", "/v1/specialties"):
        await viewer.get(path)
    before = await connection.fetchval("SELECT id FROM cache_timeline")
    done = await run_beside(operator, "cache", "forget")
    assert done.returncode == 0, done.stderr
    assert await connection.fetchval("SELECT id FROM cache_timeline") != before
    versions = app.state.runtime.versions
    await until(lambda: versions.timeline_id not in (None, before))
    assert outcome(await viewer.get("/v1/doctors")) == "fwd=miss"
    (audit,) = await audits(connection, "cache.forgotten")
    assert (audit["username"], audit["target_id"]) == ("(command line)", "*/*")
    url = operator["DATABASE_URL"]
    name = make_url(url).database
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    await administer(url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", end)
    await until(lambda: not versions.is_fresh())
    # What was read since is answered with a label; what was read before is forgotten.
    assert "fwd=stale" in (await viewer.get("/v1/doctors")).headers["cache-status"]
    assert (await viewer.get("/v1/specialties")).status_code == 503


async def test_forget_says_that_nothing_is_kept_where_changes_leave_no_stamp(
    operator: dict[str, str], seed: Seed, connection: rows.Connection
) -> None:
    await connection.execute("ALTER TABLE doctor DISABLE TRIGGER cache_stamp_update")
    assert "doctor --repair" in refused(run(operator, "cache", "forget"))


async def test_what_no_clinic_or_topic_is_called_is_refused(
    operator: dict[str, str], seed: Seed, connection: rows.Connection
) -> None:
    assert "NOPE" in refused(run(operator, "cache", "invalidate", "--clinic", "nope"))
    assert "topic" in refused(run(operator, "cache", "invalidate", "--topic", "beds"))
    assert await audits(connection) == []
