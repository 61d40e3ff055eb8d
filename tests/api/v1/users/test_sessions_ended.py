"""Whatever takes rights away ends the user's sessions: at once here, within two seconds elsewhere, and for good."""

import asyncio
from typing import Any

import httpx
import pytest

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.audit import audits
from tests.support.machine import until
from tests.support.signing_in import ME, NEW_PASSWORD, log_in

USERS = "/v1/users"

CHANGES: dict[str, dict[str, Any]] = {
    "deactivated": {"is_active": False},
    "another role": {"role": "clinical"},
    "another password": {"password": NEW_PASSWORD},
    "another clinic": {"clinic_id": ...},
}


def body_of(change: str, seed: Seed) -> dict[str, Any]:
    return {name: seed.maga.id if value is ... else value for name, value in CHANGES[change].items()}


@pytest.mark.parametrize("change", CHANGES)
async def test_it_ends_the_users_sessions_at_once_and_nobody_elses(
    sign_in: SignIn, connection: rows.Connection, seed: Seed, change: str
) -> None:
    superuser, other = await sign_in(seed.superuser), await sign_in(seed.sant.clinical)
    phones = [await sign_in(seed.sant.viewer) for _ in range(3)]
    user_id = await rows.user_id(connection, seed.sant.viewer)
    for phone in phones:
        assert (await phone.get(ME)).status_code == 200
    answer = await superuser.patch(f"{USERS}/{user_id}", json=body_of(change, seed))
    assert answer.status_code == 200, answer.text
    for phone in phones:
        assert (await phone.get(ME)).status_code == 401
    assert (await other.get(ME)).status_code == 200
    assert (await audits(connection))[0]["changes"]["sessions_ended"] == [None, 3]
    open_ones = await connection.fetchval(
        "SELECT count(*) FROM user_session WHERE user_id = $1 AND revoked_at IS NULL", user_id
    )
    assert open_ones == 0


async def test_a_name_or_an_email_ends_nothing(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    admin, viewer = await sign_in(seed.sant.admin), await sign_in(seed.sant.viewer)
    user_id = await rows.user_id(connection, seed.sant.viewer)
    await admin.patch(f"{USERS}/{user_id}", json={"username": "otra", "email": "otra@example.org"})
    me = (await viewer.get(ME)).json()["user"]
    assert (me["username"], me["email"]) == ("otra", "otra@example.org")


async def test_a_deactivated_user_stays_signed_out_when_activated_again(
    sign_in: SignIn, client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    admin, viewer = await sign_in(seed.sant.admin), await sign_in(seed.sant.viewer)
    user_id = await rows.user_id(connection, seed.sant.viewer)
    await admin.patch(f"{USERS}/{user_id}", json={"is_active": False})
    assert await log_in(client, seed.sant.viewer, rows.PASSWORD) == 401
    await admin.patch(f"{USERS}/{user_id}", json={"is_active": True})
    assert (await viewer.get(ME)).status_code == 401
    assert await log_in(client, seed.sant.viewer, rows.PASSWORD) == 200


async def test_an_admin_ends_a_users_sessions(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    admin, viewer, other = [await sign_in(name) for name in (seed.sant.admin, seed.sant.viewer, seed.sant.clinical)]
    user_id = await rows.user_id(connection, seed.sant.viewer)
    answer = await admin.delete(f"{USERS}/{user_id}/sessions")
    assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (204, b"", "no-store")
    assert (await viewer.get(ME)).status_code == 401
    assert (await other.get(ME)).status_code == 200
    again = await admin.delete(f"{USERS}/{user_id}/sessions")
    assert again.status_code == 204
    ended = await audits(connection, "user.sessions_ended")
    assert [(audit["target_id"], audit["changes"]) for audit in ended] == [
        (str(user_id), {"sessions_ended": [None, 1]})
    ]


async def test_a_superuser_may_end_their_own(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    user_id = await rows.user_id(connection, seed.superuser)
    assert (await superuser.delete(f"{USERS}/{user_id}/sessions")).status_code == 204
    assert (await superuser.get(ME)).status_code == 401


@pytest.mark.parametrize("change", CHANGES)
async def test_another_process_knows_within_two_seconds_also_without_push(
    settings: Settings, sign_in: SignIn, connection: rows.Connection, seed: Seed, change: str
) -> None:
    superuser = await sign_in(seed.superuser)
    user_id = await rows.user_id(connection, seed.sant.viewer)
    async with running(settings.model_copy(update={"cache_push": False})) as (deaf, _):
        there = await sign_in(seed.sant.viewer, on=deaf)
        assert (await there.get(ME)).status_code == 200
        assert (await superuser.patch(f"{USERS}/{user_id}", json=body_of(change, seed))).status_code == 200

        async def is_refused() -> bool:
            return (await there.get(ME)).status_code == 401

        await until(is_refused, within=2.0)


async def test_a_sign_in_at_the_same_moment_leaves_no_session_behind(
    sign_in: SignIn, client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    admin, user_id = await sign_in(seed.sant.admin), await rows.user_id(connection, seed.sant.viewer)
    for _ in range(4):
        await connection.execute("UPDATE app_user SET is_active = true WHERE id = $1", user_id)
        signing_in = [asyncio.create_task(log_in(client, seed.sant.viewer, rows.PASSWORD)) for _ in range(4)]
        # One is in, the others are on their way.
        await asyncio.wait(signing_in, return_when=asyncio.FIRST_COMPLETED)
        assert (await admin.patch(f"{USERS}/{user_id}", json={"is_active": False})).status_code == 200
        assert 200 in await asyncio.gather(*signing_in)
        open_ones = await connection.fetchval(
            "SELECT count(*) FROM user_session WHERE user_id = $1 AND revoked_at IS NULL", user_id
        )
        assert open_ones == 0
