"""A wall display: a code that an admin makes is typed in at the wall, once, and ends with its user."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.sessions.display_codes import LETTERS
from tests.conftest import BASE_URL, SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.signing_in import cookie_of

WALL = "/v1/auth/display"
ME = "/v1/auth/me"


@pytest.fixture
async def viewer_id(connection: rows.Connection, seed: Seed) -> int:
    found: int = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", seed.sant.viewer)
    return found


@pytest.fixture
async def code(sign_in: SignIn, seed: Seed, viewer_id: int) -> str:
    return str((await made(await sign_in(seed.sant.admin), viewer_id))["code"])


async def made(admin: httpx.AsyncClient, user_id: int) -> dict[str, Any]:
    answer = await admin.post(f"/v1/users/{user_id}/display-sessions")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_code_is_taken_once_and_the_cookie_reads_what_a_wall_shows(
    app: FastAPI, client: httpx.AsyncClient, sign_in: SignIn, seed: Seed, connection: rows.Connection, viewer_id: int
) -> None:
    admin = await sign_in(seed.sant.admin)
    invitation = await made(admin, viewer_id)
    lasts = datetime.fromisoformat(invitation["expires_at"]) - datetime.now(UTC)
    assert 500 < lasts.total_seconds() <= 630
    assert set(invitation["code"]) <= set(LETTERS + "-")
    # As somebody types it who reads a zero as an O.
    typed = invitation["code"].lower().replace("-", " ").replace("0", "o")
    answer = await client.post(WALL, json={"code": typed})
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["username"] == seed.sant.viewer
    assert answer.json()["idle_seconds"] is None
    assert "token" not in answer.json()
    (cookie,) = cookie_of(answer).values()
    assert (cookie.key, cookie["httponly"], cookie["max-age"]) == ("th_session", True, str(30 * 86400))
    for path in (ME, "/v1/nursing-board", "/v1/clinics", "/v1/urgency-thresholds"):
        assert (await client.get(path)).status_code == 200, path
    assert refusal(await client.get("/v1/tickets")) == (403, "forbidden")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as another:
        assert refusal(await another.post(WALL, json={"code": typed})) == (401, "invalid_code")
    row = await connection.fetchrow("SELECT * FROM user_session WHERE id = $1", invitation["session_id"])
    assert row is not None
    assert (row["client"], row["idle_seconds"], (row["expires_at"] - row["last_seen_at"]).days) == ("display", None, 30)
    assert (await client.post("/v1/auth/logout", headers={"Origin": BASE_URL})).status_code == 204
    assert (await client.get(ME)).status_code == 401


async def test_who_makes_a_code_and_who_takes_it_are_on_record(
    client: httpx.AsyncClient, sign_in: SignIn, seed: Seed, connection: rows.Connection, viewer_id: int
) -> None:
    invitation = await made(await sign_in(seed.sant.admin), viewer_id)
    await client.post(WALL, json={"code": invitation["code"]})
    row = await connection.fetchrow("SELECT username, action, target_id, clinic_id, changes FROM action_audit")
    assert row is not None
    assert tuple(row)[:-1] == (seed.sant.admin, "user.display_code_made", str(viewer_id), seed.sant.id)
    assert json.loads(row["changes"]) == {"session_id": [None, invitation["session_id"]]}
    last = await connection.fetchrow("SELECT username, outcome, client FROM login_audit ORDER BY id DESC LIMIT 1")
    assert last is not None
    assert tuple(last) == (seed.sant.viewer, "succeeded", "display")
    told = await connection.fetchval("SELECT string_agg(a::text, '') FROM action_audit a")
    assert invitation["code"] not in told


async def test_of_two_who_take_a_code_at_once_one_has_it(app: FastAPI, code: str) -> None:
    async def take() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as wall:
            return (await wall.post(WALL, json={"code": code})).status_code

    assert sorted(await asyncio.gather(*(take() for _ in range(4)))) == [200, 401, 401, 401]


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE user_session SET expires_at = now() - interval '1 s', created_at = now() - interval '10 min'",
        "UPDATE app_user SET is_active = false WHERE username = 'viewer_sant'",
        "UPDATE app_user SET role = 'clinical' WHERE username = 'viewer_sant'",
        "UPDATE clinic SET is_active = false",
        "UPDATE user_session SET revoked_at = now()",
    ],
)
async def test_a_code_that_is_over_or_whose_user_is_lets_nobody_in(
    client: httpx.AsyncClient, connection: rows.Connection, code: str, end: str
) -> None:
    await connection.execute(end)
    assert refusal(await client.post(WALL, json={"code": code})) == (401, "invalid_code")
    for wrong in ("", "x" * 41, 7):
        assert (await client.post(WALL, json={"code": wrong})).status_code == 422


async def test_ending_a_users_sessions_ends_its_displays_and_its_codes(
    client: httpx.AsyncClient, sign_in: SignIn, seed: Seed, viewer_id: int
) -> None:
    admin, viewer = await sign_in(seed.sant.admin), await sign_in(seed.sant.viewer)
    wall, waits = await made(admin, viewer_id), await made(admin, viewer_id)
    await client.post(WALL, json={"code": wall["code"]})
    listed = (await viewer.get("/v1/auth/sessions")).json()["items"]
    displays = {one["id"] for one in listed if one["client"] == "display"}
    assert displays == {wall["session_id"], waits["session_id"]}
    assert (await admin.delete(f"/v1/users/{viewer_id}/sessions")).status_code == 204
    assert (await client.get(ME)).status_code == 401
    client.cookies.clear()
    assert refusal(await client.post(WALL, json={"code": waits["code"]})) == (401, "invalid_code")


async def test_displays_are_of_viewers_in_use_below_whoever_asks(
    sign_in: SignIn, seed: Seed, connection: rows.Connection, viewer_id: int
) -> None:
    admin = await sign_in(seed.sant.admin)
    ids = {row["username"]: row["id"] for row in await connection.fetch("SELECT id, username FROM app_user")}
    expected = {
        seed.sant.clinical: (409, "not_a_viewer"),
        seed.sant.admin: (403, "forbidden"),
        seed.maga.viewer: (404, "not_found"),
    }
    for username, problem in expected.items():
        assert refusal(await admin.post(f"/v1/users/{ids[username]}/display-sessions")) == problem
    await connection.execute("UPDATE app_user SET is_active = false WHERE id = $1", viewer_id)
    assert refusal(await admin.post(f"/v1/users/{viewer_id}/display-sessions")) == (409, "not_a_viewer")
