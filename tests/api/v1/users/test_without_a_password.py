"""Users without a password: made and changed by those who administer them, and signed in by single sign-on alone."""

import httpx

from core.users.passwords.hashing import UNUSABLE
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes
from tests.support.audit import audits
from tests.support.signing_in import ME, NEW_PASSWORD, log_in

USERS = "/v1/users"
CARLA = {"username": "carla", "email": "carla@example.org", "role": "viewer"}
STORED = "SELECT password_hash FROM app_user WHERE username = $1"


async def test_a_user_without_a_password_is_made_on_purpose_and_no_password_is_hers(
    client: httpx.AsyncClient, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    admin = await sign_in(seed.sant.admin)
    # Forgotten is not null.
    assert codes(await admin.post(USERS, json=CARLA)) == [("password", "required")]
    made = await admin.post(USERS, json=CARLA | {"password": None})
    assert made.status_code == 201, made.text
    assert made.json()["sso_only"] is True
    assert await connection.fetchval(STORED, "carla") == UNUSABLE
    for password in ("!", "null", "None", "sso-user-no-password", NEW_PASSWORD):
        assert await log_in(client, "carla", password) == 401
    listed = (await admin.get(USERS)).json()["items"]
    assert {one["username"]: one["sso_only"] for one in listed}["carla"] is True
    assert [one["sso_only"] for one in listed].count(True) == 1
    assert [one["action"] for one in await audits(connection)] == ["user.created"]


async def test_a_password_is_taken_away_and_given_back_and_sessions_end_with_each(
    client: httpx.AsyncClient, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    admin, viewer = await sign_in(seed.sant.admin), await sign_in(seed.sant.viewer)
    path = f"{USERS}/{await rows.user_id(connection, seed.sant.viewer)}"
    for _ in ("once", "again"):
        taken = await admin.patch(path, json={"password": None})
        assert (taken.status_code, taken.json()["sso_only"]) == (200, True)
    assert (await viewer.get(ME)).status_code == 401
    assert await log_in(client, seed.sant.viewer) == 401
    (removed,) = await audits(connection)
    assert (removed["action"], removed["changes"]) == ("user.password_removed", {"sessions_ended": [None, 1]})
    # An absent one stays as it is, and so does none.
    assert (await admin.patch(path, json={"email": "other@example.org"})).json()["sso_only"] is True
    given = await admin.patch(path, json={"password": NEW_PASSWORD})
    assert given.json()["sso_only"] is False
    assert await log_in(client, seed.sant.viewer, NEW_PASSWORD) == 200
    assert [one["action"] for one in await audits(connection)][1:] == ["user.changed", "user.password_reset"]


async def test_nobody_takes_their_own_password_away(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    superuser = await sign_in(seed.superuser)
    user_id = await rows.user_id(connection, seed.superuser)
    refused = await superuser.patch(f"{USERS}/{user_id}", json={"password": None})
    assert codes(refused) == [("password", "own_password")]
    assert (await superuser.get(ME)).status_code == 200
