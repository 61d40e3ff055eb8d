"""GET /v1/auth/me: as new as the client has seen, on any process."""

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed

ME = "/v1/auth/me"


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
