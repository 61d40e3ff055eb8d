"""Guessing passwords over HTTP, with the default limits."""

import httpx
import pytest

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories.fixtures import Seed
from tests.factories.rows import PASSWORD, Connection


async def log_in(client: httpx.AsyncClient, username: str, password: str) -> httpx.Response:
    body = {"username": username, "password": password, "client": "mobile"}
    return await client.post("/v1/auth/login", json=body)


@pytest.mark.parametrize("known", [True, False], ids=["a user", "nobody"])
async def test_the_eleventh_guess_waits_whether_there_is_such_a_user_or_not(
    client: httpx.AsyncClient, seed: Seed, known: bool, connection: Connection
) -> None:
    username = seed.sant.viewer if known else "nobody"
    expected = username if known else "NOBODY"
    for _ in range(10):
        answer = await log_in(client, username, "a wrong password")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    for password in ("a wrong password", PASSWORD):
        answer = await log_in(client, username.upper(), password)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert 800 < int(answer.headers["retry-after"]) <= 900
        assert answer.headers["cache-control"] == "no-store"
    # Whoever waits has cost no hash, and all of them together left one row.
    assert await connection.fetchval("SELECT count(*) FROM login_audit") == 11
    last = await connection.fetchrow("SELECT * FROM login_audit ORDER BY id DESC LIMIT 1")
    assert (last["outcome"], last["succeeded"], last["username"]) == ("throttled", False, expected)
    assert (last["clinic_id"], last["user_id"] is not None) == ((seed.sant.id, True) if known else (None, False))
    assert (await log_in(client, seed.sant.admin, PASSWORD)).status_code == 200


async def test_a_session_left_open_is_no_way_to_guess_its_password(
    client: httpx.AsyncClient, sign_in: SignIn, seed: Seed
) -> None:
    user = await sign_in(seed.sant.viewer)
    body = {"current_password": "a wrong password", "new_password": "a new one that is long"}
    for _ in range(10):
        assert (await user.put("/v1/auth/password", json=body)).status_code == 422
    answer = await user.put("/v1/auth/password", json=body | {"current_password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) > 0
    assert (await log_in(client, seed.sant.viewer, PASSWORD)).status_code == 429
    # Their sessions go on.
    assert (await user.get("/v1/auth/me")).status_code == 200


async def test_a_flood_of_names_from_one_address_leaves_one_row_more(
    settings: Settings, seed: Seed, connection: Connection
) -> None:
    few = settings.model_copy(update={"login_limit_address": "3/15 minutes"})
    async with running(few) as (_, client), running(few) as (_, other):
        told = [(await log_in(where, f"name-{n}", "a wrong password")).status_code
                for n in range(10) for where in (client, other)]  # fmt: skip
    assert told == [401] * 3 + [429] * 17
    outcomes = await connection.fetch("SELECT outcome FROM login_audit ORDER BY id")
    assert [row["outcome"] for row in outcomes] == ["unknown"] * 3 + ["throttled"]


async def test_an_admin_finds_who_was_made_to_wait(client: httpx.AsyncClient, sign_in: SignIn, seed: Seed) -> None:
    for _ in range(12):
        await log_in(client, seed.sant.viewer, "a wrong password")
    found = await (await sign_in(seed.sant.admin)).get("/v1/audit/logins", params={"action": "throttled"})
    assert [row["username"] for row in found.json()["items"]] == [seed.sant.viewer]
