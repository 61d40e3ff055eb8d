"""GET /v1/auth/me: each their own, without a statement when warm, as new as the client has seen on any process."""

import asyncio

import httpx

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.signing_in import ME


async def test_with_the_cache_version_of_a_write_it_is_that_new_on_a_process_without_push(
    settings: Settings, sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    superuser = await sign_in(seed.superuser)
    user_id = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", seed.sant.admin)
    async with running(settings.model_copy(update={"cache_push": False})) as (deaf, _):
        there = await sign_in(seed.sant.admin, on=deaf)
        for turn in range(5):
            email = f"turn-{turn}@example.org"
            answer = await superuser.patch(f"/v1/users/{user_id}", json={"email": email})
            assert answer.status_code == 200
            seen = {"Cache-Version": answer.headers["cache-version"]}
            assert (await there.get(ME, headers=seen)).json()["user"]["email"] == email


async def test_me_without_a_session_is_401_and_never_stored(client: httpx.AsyncClient) -> None:
    answer = await client.get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_warm_me_asks_no_database(client: httpx.AsyncClient, sign_in: SignIn, seed: Seed) -> None:
    viewer = await sign_in("viewer_sant")
    await viewer.get(ME)
    answer = await viewer.get(ME)
    timing = answer.headers["server-timing"]
    assert "session;dur=" in timing
    assert "db;" not in timing
    assert answer.headers["cache-control"] == "no-store"


async def test_many_users_at_once_each_get_their_own(sign_in: SignIn, seed: Seed) -> None:
    names = ["viewer_sant", "viewer_maga", "admin_sant", "admin_maga", "clinical_sant", "superuser"]
    clients = {name: await sign_in(name) for name in names}
    answers = await asyncio.gather(*(clients[name].get(ME) for name in names * 20))
    assert [answer.json()["user"]["username"] for answer in answers] == names * 20
