"""Variables of the environment, by what they do: read as an operator sets them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.cache.settled import settled
from tests.support.processes.commands import environment, run
from tests.support.signing_in import ME, log_in

Configured = Callable[..., Settings]


@pytest.fixture
def configured(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """`configured(CACHE_TTL_DOCTORS="60")` → the settings of a process with this in its environment."""

    def made(**variables: str) -> Settings:
        given = {
            "DATABASE_URL": settings.require_database_url(),
            "REDIS_URL": settings.require_redis_url(),
            "CACHE_PREFIX": settings.cache_prefix,
        }
        for name, value in (given | variables).items():
            monkeypatch.setenv(name, value)
        return Settings()

    return made


async def test_session_max_seconds_ends_a_session_that_is_in_use(
    configured: Configured, sign_in: SignIn, seed: Seed
) -> None:
    async with running(configured(SESSION_MAX_SECONDS="60")) as (app, _):
        began, before = machine.now(), datetime.now(UTC)
        viewer = await sign_in(seed.sant.viewer, on=app)
        ends = datetime.fromisoformat((await viewer.get(ME)).json()["expires_at"])
        assert 59 < (ends - before).total_seconds() < 60 + machine.bound(2, began)
        versions = app.state.runtime.versions
        while versions.now() < ends.timestamp() + 1.1:  # it is told in whole seconds
            await viewer.get(ME)
            versions.clock.shift(5)
        assert (await viewer.get(ME)).status_code == 401


@pytest.mark.parametrize(("given", "longest"), [({}, 3600), ({"CACHE_TTL_DOCTORS": "60"}, 60)])
async def test_cache_ttl_of_a_policy_is_how_long_its_entries_live(
    configured: Configured, sign_in: SignIn, seed: Seed, given: dict[str, str], longest: int
) -> None:
    async with running(configured(**given)) as (app, _):
        viewer = await sign_in(seed.sant.viewer, on=app)
        for path, most in (("/v1/doctors", longest), ("/v1/specialties", 3600)):
            await viewer.get(path)
            status = (await viewer.get(path)).headers["cache-status"]
            [ttl] = [int(part.removeprefix("ttl=")) for part in status.split("; ") if part.startswith("ttl=")]
            assert most - 10 <= ttl <= most, (path, status)


@pytest.mark.parametrize(("given", "tier"), [({}, "memory"), ({"CACHE_MEMORY_BYTES": "0"}, "redis")])
async def test_cache_memory_bytes_bounds_the_tier_in_memory(
    configured: Configured, sign_in: SignIn, seed: Seed, given: dict[str, str], tier: str
) -> None:
    async with running(configured(**given)) as (app, _):
        viewer = await sign_in(seed.sant.viewer, on=app)
        await viewer.get("/v1/doctors")
        await settled(app.state.runtime)
        assert f"detail={tier}" in (await viewer.get("/v1/doctors")).headers["cache-status"]


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_log_format_is_how_a_line_looks(
    configured: Configured, sign_in: SignIn, seed: Seed, capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    async with running(configured(LOG_FORMAT=log_format)) as (_, client):
        await client.get("/livez")
        await client.get("/v1/auth/me")
        [line] = [line for line in capsys.readouterr().out.splitlines() if "/v1/auth/me" in line]
        if log_format == "json":
            assert json.loads(line)["status"] == 401
        else:
            assert "status=401" in line


async def test_the_demos_password_is_the_one_that_is_given(settings: Settings) -> None:
    given = environment(
        DATABASE_URL=settings.require_database_url(),
        REDIS_URL=settings.require_redis_url(),
        TICKET_HOME_DEMO_PASSWORD="four words of my own",
    )
    filled = run(given, "demo", "--clinics", "1", "--tickets", "1")
    assert filled.returncode == 0, filled.stderr
    async with running(settings) as (_, client):
        assert await log_in(client, "superuser", "four words of my own") == 200
        assert await log_in(client, "superuser", rows.PASSWORD) == 401
