"""Redis comes back with a snapshot of an hour ago, and no process remembers anything: nothing of it is seen."""

from typing import Any

import httpx

from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.machine import until_equal
from tests.support.servers.breakable import Breakable, command
from tests.support.signing_in import LOGIN, ME, credentials

CACHED = ("/v1/doctors", "/v1/urgency-thresholds", "/v1/dashboard", "/v1/clinics")
WITHIN = 3.0
"""Seconds until whoever listens anew knows the versions, and some more."""


async def token_of(client: httpx.AsyncClient, username: str) -> dict[str, str]:
    answer = await client.post(LOGIN, json=credentials(username))
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def shown(client: httpx.AsyncClient, headers: dict[str, str]) -> list[Any]:
    """What the cached reads say, but for when it was computed."""
    answers = [(await client.get(path, headers=headers)).json() for path in CACHED]
    return [{name: value for name, value in answer.items() if name != "generated_at"} for answer in answers]


async def test_an_old_snapshot_and_new_processes_show_nothing_of_it(
    on_own_redis: Settings, redis_server: Breakable, seed: Seed, connection: rows.Connection
) -> None:
    async with running(on_own_redis) as (_, client):
        admin, viewer, clinical = [
            await token_of(client, name) for name in (seed.sant.admin, seed.sant.viewer, seed.sant.clinical)
        ]
        for headers in (admin, viewer, clinical):
            await shown(client, headers)
            assert (await client.get(ME, headers=headers)).status_code == 200
        before = await shown(client, admin)
        await command(redis_server.url, "SAVE")
        assert (await client.post("/v1/auth/logout", headers=viewer)).status_code == 204
        await connection.execute("UPDATE app_user SET is_active = false WHERE username = $1", seed.sant.clinical)
        await connection.execute("UPDATE doctor SET name = 'Dr. New'")
        await connection.execute("UPDATE clinic SET name = 'New' WHERE id = $1", seed.sant.id)
        answer = await client.put(
            "/v1/urgency-thresholds",
            json={"clinic_id": seed.sant.id, "red_hours": 1, "yellow_hours": 2, "green_hours": 3},
            headers=admin,
        )
        assert answer.status_code == 200, answer.text
        await seed.sant.ticket(connection)
        after = await until_changed(client, admin, before)
    await redis_server.kill()
    await redis_server.start()
    kept = await command(redis_server.url, "DBSIZE")
    assert isinstance(kept, int)
    assert kept > len(CACHED)
    async with running(on_own_redis) as (_, client):
        assert await shown(client, admin) == after
        assert [(await client.get(ME, headers=headers)).status_code for headers in (viewer, clinical)] == [401, 401]
        assert (await client.get(ME, headers=admin)).status_code == 200


async def until_changed(client: httpx.AsyncClient, headers: dict[str, str], before: list[Any]) -> list[Any]:
    """What is shown once none of it is as before."""

    async def same() -> list[bool]:
        return [one == other for one, other in zip(await shown(client, headers), before, strict=True)]

    await until_equal(same, [False] * len(before), WITHIN)
    return await shown(client, headers)
