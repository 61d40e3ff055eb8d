"""The audits: who sees what of them, how they are searched, and that their pages are whole."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes

LOGINS = "/v1/audit/logins"
ACTIONS = "/v1/audit/actions"
JANUARY = datetime(2026, 1, 15, 12, tzinfo=UTC)


async def items(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def done(connection: rows.Connection, clinic_id: int | None, **values: Any) -> int:
    """A row of the action audit."""
    defaults = {
        "username": "someone",
        "action": "ticket.created",
        "target_type": "ticket",
        "target_id": "TH-X-2026-001",
    }
    found: int = await rows.insert(connection, "action_audit", clinic_id=clinic_id, **(defaults | values))
    return found


@pytest.fixture
async def superuser(sign_in: SignIn, seed: Seed) -> httpx.AsyncClient:
    return await sign_in(seed.superuser)


@pytest.fixture
async def admin(sign_in: SignIn, seed: Seed) -> httpx.AsyncClient:
    return await sign_in(seed.sant.admin)


# --- who sees what


async def test_audits_are_for_those_who_administer(sign_in: SignIn, client: httpx.AsyncClient, seed: Seed) -> None:
    for path in (LOGINS, ACTIONS):
        for name in (seed.sant.viewer, seed.sant.clinical):
            assert (await (await sign_in(name)).get(path, params={"nonsense": 1})).status_code == 403
        assert (await client.get(path)).status_code == 401


async def test_logins_of_the_clinic_are_the_admins_and_unknown_names_the_superusers(
    superuser: httpx.AsyncClient, admin: httpx.AsyncClient, sign_in: SignIn, client: httpx.AsyncClient, seed: Seed
) -> None:
    await sign_in(seed.maga.viewer)
    for name in (seed.sant.viewer, seed.maga.admin, "nobody", "superuser"):
        wrong = {"username": name, "password": "wrong", "client": "web"}
        assert (await client.post("/v1/auth/login", json=wrong)).status_code == 401
    own = [("viewer_sant", "password"), ("admin_sant", "succeeded")]
    assert [(item["username"], item["outcome"]) for item in await items(admin, LOGINS)] == own
    assert [item["succeeded"] for item in await items(admin, LOGINS)] == [False, True]
    every = [(item["username"], item["outcome"], item["clinic_id"]) for item in await items(superuser, LOGINS)]
    assert every == [
        ("superuser", "password", None),
        ("nobody", "unknown", None),
        ("admin_maga", "password", seed.maga.id),
        ("viewer_sant", "password", seed.sant.id),
        ("viewer_maga", "succeeded", seed.maga.id),
        ("admin_sant", "succeeded", seed.sant.id),
        ("superuser", "succeeded", None),
    ]
    assert len(await items(superuser, LOGINS, clinic_id=seed.maga.id)) == 2
    item = (await items(admin, LOGINS))[0]
    assert (item["client"], item["ip"], item["user_agent"][:12]) == ("web", "127.0.0.1", "python-httpx")
    assert item["at"][-6:] in {"-03:00", "-04:00"}


async def test_actions_in_the_clinic_are_the_admins_also_a_superusers_and_global_ones_are_not(
    superuser: httpx.AsyncClient, admin: httpx.AsyncClient, seed: Seed
) -> None:
    hours = {"red_hours": 1, "yellow_hours": 2, "green_hours": 3}
    for clinic_id in (seed.sant.id, seed.maga.id, None):
        answer = await superuser.put("/v1/urgency-thresholds", json=hours | {"clinic_id": clinic_id})
        assert answer.status_code == 200, answer.text
    mine = await items(admin, ACTIONS)
    assert [(item["username"], item["clinic_id"]) for item in mine] == [("superuser", seed.sant.id)]
    assert mine[0] == {
        "id": mine[0]["id"],
        "at": mine[0]["at"],
        "user_id": mine[0]["user_id"],
        "username": "superuser",
        "clinic_id": seed.sant.id,
        "action": "thresholds.changed",
        "target_type": "thresholds",
        "target_id": str(seed.sant.id),
        "changes": {"red_hours": [None, 1], "yellow_hours": [None, 2], "green_hours": [None, 3]},
        "ip": "127.0.0.1",
        "request_id": mine[0]["request_id"],
    }
    assert [item["clinic_id"] for item in await items(superuser, ACTIONS)] == [None, seed.maga.id, seed.sant.id]
    assert [item["clinic_id"] for item in await items(superuser, ACTIONS, clinic_id=seed.maga.id)] == [seed.maga.id]


async def test_another_clinic_is_not_there(superuser: httpx.AsyncClient, admin: httpx.AsyncClient, seed: Seed) -> None:
    besides: list[dict[str, Any]] = [{}, {"limit": 0}, {"from": "yesterday"}]
    for path in (LOGINS, ACTIONS):
        for more in besides:
            assert (await admin.get(path, params={"clinic_id": seed.maga.id} | more)).status_code == 404
            assert (await superuser.get(path, params={"clinic_id": 999_999} | more)).status_code == 404


async def test_rows_outlive_the_user(superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed) -> None:
    user_id = await rows.user(connection, "leaver", "viewer", seed.sant.id)
    await done(connection, seed.sant.id, username="leaver", user_id=user_id)
    await connection.execute("DELETE FROM app_user WHERE id = $1", user_id)
    assert [item["username"] for item in await items(superuser, ACTIONS, user=str(user_id))] == ["leaver"]


# --- searching


async def test_actions_are_found_by_user_action_and_target(
    admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    clinic_id = seed.sant.id
    one = await done(connection, clinic_id, username="Ana", user_id=41)
    two = await done(connection, clinic_id, username="ana.b", user_id=42, action="ticket.annulled")
    action = {"action": "cache.invalidated", "target_type": "cache", "target_id": "5/tickets"}
    three = await done(connection, clinic_id, username="42", user_id=7, **action)
    await done(connection, seed.maga.id, username="ana", user_id=41)

    async def found(**query: str) -> list[int]:
        return [item["id"] for item in await items(admin, ACTIONS, **query)]

    assert await found() == [three, two, one]
    assert await found(user="ANA") == [one]
    assert await found(user="41") == [one]
    assert await found(user="42") == [three, two]  # an id, and a name like one
    assert await found(user="nobody") == []
    assert await found(user="9" * 30) == []
    assert await found(action="ticket.annulled") == [two]
    assert await found(action="ticket") == []
    assert await found(target="ticket/TH-X-2026-001") == [two, one]
    assert await found(target="TH-X-2026-001") == [two, one]
    assert await found(target="ticket") == [two, one]
    assert await found(target="cache/5/tickets") == [three]
    assert await found(target="patient/TH-X-2026-001") == []
    assert await found(target="ticket", user="ana", action="ticket.created") == [one]


async def test_logins_are_found_by_user_and_outcome(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    wrong = {"username": seed.sant.viewer, "password": "wrong", "client": "web"}
    await client.post("/v1/auth/login", json=wrong)
    viewer_id = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", seed.sant.viewer)
    for query in ({"user": "VIEWER_sant"}, {"user": str(viewer_id)}, {"action": "password"}):
        assert [item["username"] for item in await items(admin, LOGINS, **query)] == [seed.sant.viewer]
    assert await items(admin, LOGINS, user=seed.maga.viewer) == []
    assert codes(await admin.get(LOGINS, params={"target": "x"})) == [("target", "unknown_field")]


async def test_a_span_of_time_is_clinic_local_unless_it_says_otherwise(
    admin: httpx.AsyncClient, superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    """12:00 UTC is 09:00 in Santiago and in Punta Arenas in January."""
    await done(connection, seed.sant.id, at=JANUARY)

    async def found(client: httpx.AsyncClient, **query: str) -> bool:
        return len(await items(client, ACTIONS, **query)) == 1

    for client in (admin, superuser):
        assert await found(client, **{"from": "2026-01-15T09:00"})
        assert not await found(client, **{"from": "2026-01-15T09:01"})
        assert not await found(client, to="2026-01-15T09:00")
        assert await found(client, to="2026-01-15T09:01")
    assert await found(admin, **{"from": "2026-01-15T12:00:00Z", "to": "2026-01-15T12:00:01+00:00"})
    assert not await found(admin, **{"from": "2026-01-15T12:00:01Z"})
    assert await found(admin, **{"from": "2026-01-15", "to": "2026-01-15"})
    assert not await found(admin, **{"from": "2026-01-16"})
    assert not await found(admin, to="2026-01-14")
    assert [item["at"] for item in await items(admin, ACTIONS)] == ["2026-01-15T09:00:00-03:00"]


NO_SEARCHES = [
    ({"from": "yesterday"}, ("from", "invalid")),
    ({"to": "1700000000"}, ("to", "invalid")),
    ({"to": ""}, ("to", "invalid")),
    ({"from": "2026-02-30"}, ("from", "invalid")),
    ({"from": "9999-12-31"}, ("from", "out_of_range")),
    ({"to": "9999-12-31T10:00"}, ("to", "out_of_range")),
    ({"from": "2026-09-06T00:30"}, ("from", "nonexistent_local_time")),
    ({"from": "2026-01-16", "to": "2026-01-14"}, ("to", "before_from")),
    ({"from": "2026-01-16", "to": "2026-01-15"}, ("to", "before_from")),
    ({"from": "2026-01-16T00:00", "to": "2026-01-15"}, ("to", "before_from")),
    ({"from": "2026-01-16T03:00Z", "to": "2026-01-15"}, ("to", "before_from")),
    ({"from": "2026-09-06", "to": "2026-09-05"}, ("to", "before_from")),
    ({"from": "2026-01-16", "to": "2026-01-15T23:59"}, ("to", "before_from")),
    ({"clinic": "5"}, ("clinic", "unknown_field")),
    ({"cursor": "forged"}, ("cursor", "invalid")),
]


async def test_what_is_no_search_is_refused(admin: httpx.AsyncClient) -> None:
    for path in (LOGINS, ACTIONS):
        for query, refused in NO_SEARCHES:
            assert codes(await admin.get(path, params=query)) == [refused], (path, query)
        for limit in ("0", "201", "x"):
            assert [name for name, _ in codes(await admin.get(path, params={"limit": limit}))] == ["limit"], path


# --- pages


async def test_pages_neither_skip_nor_repeat_a_row_while_others_are_written(
    admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    """Several at one instant, and ids that do not follow the times, as an import leaves them."""
    expected = []
    for number in range(40):
        at = JANUARY + timedelta(minutes=(number * 7) % 13)
        expected.append((at, await done(connection, seed.sant.id, at=at)))
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 7, "to": "2026-02-01"}
    while True:
        page = (await admin.get(ACTIONS, params=query)).json()
        seen += [item["id"] for item in page["items"]]
        await done(connection, seed.sant.id)
        if page["next"] is None:
            break
        query = {"limit": 7, "to": "2026-02-01", "cursor": page["next"]}
    assert seen == [row_id for _, row_id in sorted(expected, reverse=True)]


async def test_a_cursor_is_good_for_its_question_alone(
    admin: httpx.AsyncClient, superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    for _ in range(3):
        await done(connection, seed.sant.id)
    cursor = (await admin.get(ACTIONS, params={"limit": 1})).json()["next"]
    assert (await admin.get(ACTIONS, params={"limit": 2, "cursor": cursor})).status_code == 200
    for client, path, query in (
        (admin, ACTIONS, {"user": "x"}),
        (admin, ACTIONS, {"from": "2026-01-01"}),
        (admin, LOGINS, {}),
        (superuser, ACTIONS, {}),
    ):
        refused = await client.get(path, params={"cursor": cursor} | query)
        assert codes(refused) == [("cursor", "other_parameters")]


# --- in the transaction of what it records


async def test_what_is_refused_is_not_recorded(
    admin: httpx.AsyncClient, superuser: httpx.AsyncClient, seed: Seed
) -> None:
    for answer in (
        await superuser.post("/v1/specialties", json={"clinic_id": seed.sant.id, "name": ""}),
        await admin.put("/v1/urgency-thresholds", json={"red_hours": 3, "yellow_hours": 2, "green_hours": 1}),
        await superuser.post("/v1/clinics", json={"name": "Clínica SANT"}),
    ):
        assert answer.status_code in {409, 422}
    assert await items(superuser, ACTIONS) == []


async def test_every_row_of_many_writes_at_once_is_there(superuser: httpx.AsyncClient, seed: Seed) -> None:
    bodies = [{"clinic_id": seed.sant.id, "name": f"Especialidad {n}"} for n in range(20)]
    answers = await asyncio.gather(*(superuser.post("/v1/specialties", json=body) for body in bodies))
    made = sorted(str(answer.json()["id"]) for answer in answers)
    assert sorted(item["target_id"] for item in await items(superuser, ACTIONS, action="specialty.created")) == made


async def test_searches_are_answered_by_an_index(connection: rows.Connection, seed: Seed) -> None:
    """Of a table too long to be read: none of them sorts or walks all of it."""
    await connection.execute(
        "INSERT INTO action_audit (at, user_id, username, clinic_id, action, target_type, target_id)"
        " SELECT now() - n * interval '1 minute', n % 500, 'u' || n % 500, $1, 'a.' || n % 400, 'k', n::text"
        " FROM generate_series(1, 40000) AS n",
        seed.sant.id,
    )
    await connection.execute("ANALYZE action_audit")
    for condition in (
        "true",
        f"clinic_id = {seed.sant.id}",
        "lower(username) = 'u7'",
        "user_id = 7",
        "action = 'a.7'",
        "target_id = '77'",
        "target_type = 'k' AND target_id = '77'",
    ):
        plan = await connection.fetch(
            f"EXPLAIN SELECT * FROM action_audit WHERE {condition} ORDER BY at DESC, id DESC LIMIT 51"
        )
        text = "\n".join(row[0] for row in plan)
        assert "Index Scan" in text or "Bitmap" in text, f"{condition}\n{text}"
        assert "Seq Scan" not in text, f"{condition}\n{text}"
