"""TRUSTED_PROXIES: whose word on the client's address counts, in the audit and in the limit of failed sign-ins."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.factories.fixtures import Seed
from tests.support.processes.commands import TICKET_HOME, environment
from tests.support.processes.services import Serving, serving

CLIENT, ANOTHER = "203.0.113.7", "203.0.113.8"


@pytest.fixture
def given(tmp_path: Path, database_url: str, redis_url: str) -> dict[str, str]:
    return environment(
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        CACHE_PREFIX=database_url.rpartition("test_")[2][:12],
        TICKET_HOME_DATA_DIR=str(tmp_path / "data"),
        LOGIN_LIMIT_ADDRESS="2/15 minutes",
        LOG_FORMAT="console",
    )


@pytest.fixture
def behind_a_proxy(given: dict[str, str], tmp_path: Path) -> Iterator[Serving]:
    trusting = given | {"TRUSTED_PROXIES": "10.0.0.9, 127.0.0.1"}
    with serving(TICKET_HOME, "serve", environment=trusting, log=tmp_path / "log") as one:
        yield one


@pytest.fixture
def behind_another(given: dict[str, str], tmp_path: Path) -> Iterator[Serving]:
    trusting = given | {"TRUSTED_PROXIES": "10.0.0.9"}
    with serving(TICKET_HOME, "serve", environment=trusting, log=tmp_path / "log") as one:
        yield one


def guess(at: Serving, name: str, forwarded_for: str) -> int:
    body = {"username": name, "password": "wrong " * 3, "client": "mobile"}
    headers = {"X-Forwarded-For": forwarded_for}
    return httpx.post(f"{at.url}/v1/auth/login", json=body, headers=headers).status_code


async def addresses(connection: "asyncpg.Connection[asyncpg.Record]") -> set[str]:
    return {row["ip"] for row in await connection.fetch("SELECT DISTINCT ip FROM login_audit")}


async def test_a_trusted_proxys_client_is_audited_and_made_to_wait(
    behind_a_proxy: Serving, seed: Seed, connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path
) -> None:
    # What the client itself says stands before what the proxy adds.
    statuses = [guess(behind_a_proxy, name, f"198.51.100.1, {CLIENT}") for name in ("ab", "cd", "ef")]
    assert statuses == [401, 401, 429]
    assert guess(behind_a_proxy, "ef", ANOTHER) == 401
    assert await addresses(connection) == {CLIENT, ANOTHER}
    lines = (tmp_path / "log").read_text().splitlines()
    assert any("request_id=" in line and not line.startswith("{") for line in lines), lines  # LOG_FORMAT=console


async def test_nobody_elses_word_counts(
    behind_another: Serving, seed: Seed, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    statuses = [
        guess(behind_another, name, address) for name, address in (("ab", CLIENT), ("cd", ANOTHER), ("ef", CLIENT))
    ]
    assert statuses == [401, 401, 429]
    assert await addresses(connection) == {"127.0.0.1"}
