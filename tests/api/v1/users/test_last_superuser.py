"""Nobody removes the last active superuser, however many try at once."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import refusal

USERS = "/v1/users"


def removals(seed: Seed) -> list[dict[str, Any]]:
    return [{"is_active": False}, {"role": "admin", "clinic_id": seed.sant.id}]


async def active(connection: rows.Connection) -> int:
    found: int = await connection.fetchval("SELECT count(*) FROM app_user WHERE role = 'superuser' AND is_active")
    return found


async def test_the_last_active_superuser_stays(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    path = f"{USERS}/{await rows.user_id(connection, seed.superuser)}"
    await rows.user(connection, "gone", "superuser", None, is_active=False)
    for body in removals(seed):
        assert refusal(await superuser.patch(path, json=body)) == (409, "last_superuser")
    assert (await superuser.get("/v1/auth/me")).status_code == 200
    # What does not remove them may change.
    assert (await superuser.patch(path, json={"email": "otra@example.org", "role": "superuser"})).status_code == 200


async def test_one_of_two_may_go_themselves_too(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    await rows.user(connection, "second", "superuser", None)
    superuser, second = await sign_in(seed.superuser), await sign_in("second")
    own = f"{USERS}/{await rows.user_id(connection, seed.superuser)}"
    assert (await superuser.patch(own, json={"is_active": False})).status_code == 200
    assert (await superuser.get("/v1/auth/me")).status_code == 401
    other = f"{USERS}/{await rows.user_id(connection, 'second')}"
    assert refusal(await second.patch(other, json={"is_active": False})) == (409, "last_superuser")


@pytest.mark.parametrize("each", ["other", "self"])
async def test_of_superusers_who_remove_each_other_or_themselves_at_once_one_stays(
    sign_in: SignIn, connection: rows.Connection, seed: Seed, each: str
) -> None:
    names = ["first", "second", "third"]
    ids = [await rows.user(connection, name, "superuser", None) for name in names]
    await connection.execute("UPDATE app_user SET is_active = false WHERE username = 'superuser'")
    for _ in range(4):
        await connection.execute("UPDATE app_user SET is_active = true WHERE id = ANY($1)", ids)
        clients = [await sign_in(name) for name in names]
        targets = ids if each == "self" else [*ids[1:], ids[0]]
        answers: list[httpx.Response] = await asyncio.gather(
            *(
                client.patch(f"{USERS}/{target}", json={"is_active": False})
                for client, target in zip(clients, targets, strict=True)
            )
        )
        # A superuser whose session ended before their turn came is signed out.
        assert {answer.status_code for answer in answers} <= {200, 401, 409}
        assert await active(connection) >= 1
        if each == "self":
            assert sorted(answer.status_code for answer in answers) == [200, 200, 409]
