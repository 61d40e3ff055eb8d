"""Guessing passwords over HTTP, with the default limits."""

import re

import httpx
import pytest

from core.settings import Settings
from tests.conftest import BASE_URL, SignIn, running
from tests.factories import rows
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
    last = await rows.one(connection, "SELECT * FROM login_audit ORDER BY id DESC LIMIT 1")
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
        statuses = [(await log_in(where, f"name-{n}", "a wrong password")).status_code
                for n in range(10) for where in (client, other)]  # fmt: skip
    assert statuses == [401] * 3 + [429] * 17
    outcomes = await connection.fetch("SELECT outcome FROM login_audit ORDER BY id")
    assert [row["outcome"] for row in outcomes] == ["unknown"] * 3 + ["throttled"]


async def test_an_admin_finds_who_was_made_to_wait(client: httpx.AsyncClient, sign_in: SignIn, seed: Seed) -> None:
    for _ in range(12):
        await log_in(client, seed.sant.viewer, "a wrong password")
    found = await (await sign_in(seed.sant.admin)).get("/v1/audit/logins", params={"action": "throttled"})
    assert [row["username"] for row in found.json()["items"]] == [seed.sant.viewer]


@pytest.mark.parametrize("names", [("{0}", "{0}@example.org"), ("{0}", "  {0} "), ("{0}@EXAMPLE.org", "{0}")])
async def test_a_user_has_ten_guesses_whichever_name_is_used(
    client: httpx.AsyncClient, seed: Seed, names: tuple[str, str]
) -> None:
    statuses = [
        (
            await log_in(client, name.format(seed.sant.viewer.swapcase() if n % 2 else seed.sant.viewer), "wrong")
        ).status_code
        for n in range(8)
        for name in names
    ]
    assert statuses == [401] * 10 + [429] * 6


async def web(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    body = {"username": username, "password": password, "client": "web"}
    return await client.post("/v1/auth/login", json=body, headers={"Origin": BASE_URL})


async def test_a_ward_behind_a_guesser_s_address_goes_on_signing_in_where_it_did_before(
    settings: Settings, seed: Seed
) -> None:
    few = settings.model_copy(update={"login_limit_address": "3/15 minutes"})
    async with running(few) as (_, ward), running(few) as (_, guesser):
        for username in (seed.sant.viewer, seed.sant.clinical):
            assert (await web(ward, username)).status_code == 200
        assert [(await log_in(guesser, f"name-{n}", "wrong")).status_code for n in range(4)] == [401] * 3 + [429]
        assert (await log_in(guesser, seed.sant.viewer, PASSWORD)).status_code == 429
        # One computer, two users; a third has never been there.
        assert (await web(ward, seed.sant.viewer, "mistyped")).status_code == 401
        assert (await web(ward, seed.sant.viewer)).status_code == 200
        assert (await web(ward, seed.sant.clinical)).status_code == 200
        assert (await web(ward, seed.sant.admin)).status_code == 429


async def test_the_device_cookie_is_kept_from_scripts_and_alone_opens_nothing(
    client: httpx.AsyncClient, seed: Seed
) -> None:
    answer = await web(client, seed.sant.viewer)
    device = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("th_device="))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in device.split(";")}
    client.cookies.delete("th_session")
    assert "th_device" in client.cookies
    assert (await client.get("/v1/auth/me")).status_code == 401


async def test_nothing_that_is_told_differs_between_the_reasons_of_a_refusal(
    client: httpx.AsyncClient, connection: Connection, seed: Seed
) -> None:
    """Not even how many statements it took: whoever guesses names would learn which exist."""
    await connection.execute("UPDATE app_user SET is_active = false WHERE username = $1", seed.sant.clinical)
    await connection.execute("UPDATE app_user SET password_hash = '!' WHERE username = $1", seed.sant.admin)
    await connection.execute("UPDATE clinic SET is_active = false WHERE id = $1", seed.maga.id)
    tries = [
        ("nobody", "wrong"),
        (seed.sant.viewer, "wrong"),
        (f"{seed.sant.viewer}@example.org", "wrong"),
        (seed.sant.clinical, PASSWORD),
        (seed.sant.clinical, "wrong"),
        (seed.sant.admin, PASSWORD),
        (seed.maga.viewer, PASSWORD),
        (seed.maga.viewer, "wrong"),
    ]
    await log_in(client, "warm", "wrong")
    refusals = set()
    for name, password in tries:
        answer = await log_in(client, name, password)
        assert answer.status_code == 401
        timing = ";".join(re.sub(r"dur=[0-9.]+", "", answer.headers["server-timing"]).split(";"))
        refusals.add((timing, tuple(sorted(answer.headers)), answer.headers["content-length"]))
    assert len(refusals) == 1, refusals
    assert 'db;desc="' in next(iter(refusals))[0]
