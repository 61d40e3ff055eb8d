"""Guessing passwords over HTTP, with the default limits."""

import httpx
import pytest

from tests.conftest import SignIn
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
    for _ in range(10):
        answer = await log_in(client, username, "a wrong password")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    for password in ("a wrong password", PASSWORD):
        answer = await log_in(client, username.upper(), password)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert 800 < int(answer.headers["retry-after"]) <= 900
        assert answer.headers["cache-control"] == "no-store"
    # Whoever waits has cost no hash and left no row.
    assert await connection.fetchval("SELECT count(*) FROM login_audit") == 10
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
