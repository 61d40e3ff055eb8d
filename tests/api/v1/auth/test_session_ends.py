"""What ends a session: signing out and a deactivation, known to every process; and what does not."""

import asyncpg
import httpx
from fastapi import FastAPI

from core.settings import Settings
from tests.conftest import BASE_URL, SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.cache.settled import settled
from tests.support.machine import until
from tests.support.signing_in import LOGIN, ME, cookie_of, credentials


async def refused_within(seconds: float, client: httpx.AsyncClient, headers: dict[str, str] | None = None) -> None:
    async def is_refused() -> bool:
        return (await client.get(ME, headers=headers)).status_code == 401

    await until(is_refused, within=seconds)


async def test_signing_out_ends_this_session_alone_and_at_once(
    client: httpx.AsyncClient, sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    phone = await sign_in("viewer_sant")
    await client.post(LOGIN, json=credentials("viewer_sant", client="web"))
    cookie = client.cookies["th_session"]
    ended = await client.post("/v1/auth/logout", headers={"Origin": BASE_URL})
    assert (ended.status_code, ended.content) == (204, b"")
    assert ended.headers["cache-control"] == "no-store"
    assert cookie_of(ended)["th_session"]["max-age"] == "0"
    assert (await client.get(ME, headers={"Cookie": f"th_session={cookie}"})).status_code == 401
    assert (await phone.get(ME)).status_code == 200
    again = await client.post("/v1/auth/logout", headers={"Cookie": f"th_session={cookie}", "Origin": BASE_URL})
    assert again.status_code == 401
    assert await connection.fetchval("SELECT count(*) FROM user_session WHERE revoked_at IS NULL") == 1
    assert await connection.fetchval("SELECT action FROM action_audit") == "session.ended"


async def test_signing_out_is_known_to_another_process_within_two_seconds(settings: Settings, seed: Seed) -> None:
    async with running(settings) as (_, one), running(settings) as (_, other):
        token = (await one.post(LOGIN, json=credentials("viewer_sant"))).json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await other.get(ME, headers=bearer)).status_code == 200
        await one.post("/v1/auth/logout", headers=bearer)
        assert (await one.get(ME, headers=bearer)).status_code == 401
        await refused_within(2, other, bearer)


async def test_a_deactivation_in_psql_ends_a_session_within_two_seconds(
    sign_in: SignIn, connection: "asyncpg.Connection[asyncpg.Record]", seed: Seed
) -> None:
    viewer, admin = await sign_in("viewer_sant"), await sign_in("admin_sant")
    await viewer.get(ME)
    await connection.execute("UPDATE app_user SET is_active = false WHERE username = 'viewer_sant'")
    await refused_within(2, viewer)
    assert (await admin.get(ME)).status_code == 200


async def test_redis_flushed_logs_nobody_out(app: FastAPI, sign_in: SignIn, settings: Settings, seed: Seed) -> None:
    viewer = await sign_in("viewer_sant")
    await viewer.get(ME)
    await settled(app.state.runtime)
    redis = app.state.runtime.redis.client
    async for key in redis.scan_iter(f"{settings.cache_prefix}:*"):
        await redis.delete(key)
    assert (await viewer.get(ME)).status_code == 200
    async with running(settings) as (_, other):
        bearer = {"Authorization": viewer.headers["Authorization"]}
        assert (await other.get(ME, headers=bearer)).status_code == 200
