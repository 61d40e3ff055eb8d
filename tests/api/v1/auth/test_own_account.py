"""Own sessions, listed and ended, and the own password (PUT /v1/auth/password)."""

import asyncio

import httpx
import pytest

from core.settings import Settings
from tests.conftest import BASE_URL, SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import signing_in

SESSIONS = "/v1/auth/sessions"
PASSWORD = "/v1/auth/password"
ME = "/v1/auth/me"
NEW = "four words of my own"


def changed(current: str = rows.PASSWORD, new: str = NEW) -> dict[str, str]:
    return {"current_password": current, "new_password": new}


async def test_own_sessions_are_listed_newest_first_and_nobody_elses(sign_in: SignIn, seed: Seed) -> None:
    phone, tablet = await sign_in("viewer_sant"), await sign_in("viewer_sant")
    await sign_in("admin_sant")
    answer = await phone.get(SESSIONS)
    assert answer.headers["cache-control"] == "no-store"
    items = answer.json()["items"]
    assert [item["current"] for item in items] == [False, True]
    assert items[0]["id"] > items[1]["id"]
    assert (items[0]["client"], items[0]["ip"]) == ("mobile", "127.0.0.1")
    assert items[0]["user_agent"].startswith("python-httpx")
    assert all(items[0][name][-6:] in {"-03:00", "-04:00"} for name in ("created_at", "last_seen_at", "expires_at"))
    assert [item["current"] for item in (await tablet.get(SESSIONS)).json()["items"]] == [True, False]


async def test_ended_expired_and_idle_sessions_are_not_listed(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    clients = [await sign_in("viewer_sant") for _ in range(4)]
    ids = [item["id"] for item in (await clients[0].get(SESSIONS)).json()["items"]]
    await connection.execute("UPDATE user_session SET revoked_at = now() WHERE id = $1", ids[0])
    await connection.execute(
        "UPDATE user_session SET last_seen_at = now() - interval '66 minutes' WHERE id = $1", ids[1]
    )
    await connection.execute(
        "UPDATE user_session SET created_at = now() - interval '1 day', expires_at = now() WHERE id = $1", ids[2]
    )
    assert [item["id"] for item in (await clients[0].get(SESSIONS)).json()["items"]] == ids[3:]


async def test_one_session_is_ended_at_once(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    phone, lost = await sign_in("viewer_sant"), await sign_in("viewer_sant")
    assert (await lost.get(ME)).status_code == 200
    lost_id = (await phone.get(SESSIONS)).json()["items"][0]["id"]
    ended = await phone.delete(f"{SESSIONS}/{lost_id}")
    assert (ended.status_code, ended.headers["cache-control"]) == (204, "no-store")
    assert (await lost.get(ME)).status_code == 401
    assert (await phone.get(ME)).status_code == 200
    assert (await phone.delete(f"{SESSIONS}/{lost_id}")).status_code == 404
    audited = await connection.fetch("SELECT username, action, target_id, clinic_id FROM action_audit")
    assert [tuple(row) for row in audited] == [("viewer_sant", "session.ended", str(lost_id), seed.sant.id)]


async def test_anothers_session_does_not_exist(sign_in: SignIn, seed: Seed) -> None:
    viewer, admin = await sign_in("viewer_sant"), await sign_in("admin_sant")
    admins = (await admin.get(SESSIONS)).json()["items"][0]["id"]
    for unknown in (admins, 2**63 - 1):
        answer = await viewer.delete(f"{SESSIONS}/{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for nonsense in ("x", "0", "-1", str(2**63)):
        assert (await viewer.delete(f"{SESSIONS}/{nonsense}")).status_code == 422
    assert (await admin.get(ME)).status_code == 200


async def test_all_other_sessions_are_ended(sign_in: SignIn, seed: Seed) -> None:
    others = [await sign_in("viewer_sant") for _ in range(3)]
    kept, admin = await sign_in("viewer_sant"), await sign_in("admin_sant")
    assert (await kept.delete(SESSIONS)).status_code == 204
    assert [(await other.get(ME)).status_code for other in others] == [401] * 3
    assert [(await still.get(ME)).status_code for still in (kept, admin)] == [200, 200]
    assert (await kept.delete(SESSIONS)).status_code == 204


async def test_a_new_password_ends_all_sessions_and_answers_a_new_one(
    client: httpx.AsyncClient, sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    asking, other, admin = await sign_in("viewer_sant"), await sign_in("viewer_sant"), await sign_in("admin_sant")
    answer = await asking.put(PASSWORD, json=changed())
    assert answer.status_code == 200
    assert list(answer.json()) == ["user", "expires_at", "idle_seconds", "token"]
    assert [(await old.get(ME)).status_code for old in (asking, other)] == [401, 401]
    assert (await admin.get(ME)).status_code == 200
    bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await client.get(ME, headers=bearer)).json()["user"]["username"] == "viewer_sant"
    login = {"username": "viewer_sant", "client": "mobile"}
    old = await client.post("/v1/auth/login", json=login | {"password": rows.PASSWORD})
    new = await client.post("/v1/auth/login", json=login | {"password": NEW})
    assert (old.status_code, new.status_code) == (401, 200)
    actions = await connection.fetch("SELECT action, target_id FROM action_audit")
    assert [row["action"] for row in actions] == ["user.password_changed"]
    assert NEW not in str(await connection.fetch("SELECT * FROM action_audit"))


async def test_a_web_clients_new_session_comes_in_its_cookie(client: httpx.AsyncClient, seed: Seed) -> None:
    await client.post("/v1/auth/login", json={"username": "viewer_sant", "password": rows.PASSWORD})
    before = client.cookies["th_session"]
    answer = await client.put(PASSWORD, json=changed(), headers={"Origin": BASE_URL})
    assert list(answer.json()) == ["user", "expires_at", "idle_seconds"]
    assert client.cookies["th_session"] != before
    assert (await client.get(ME)).status_code == 200


async def test_a_wrong_current_password_changes_nothing_and_is_audited(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    viewer = await sign_in("viewer_sant")
    answer = await viewer.put(PASSWORD, json=changed(current="not it at all"))
    assert answer.status_code == 422
    assert [(e["path"], e["code"]) for e in answer.json()["errors"]] == [("current_password", "wrong_password")]
    assert (await viewer.get(ME)).status_code == 200
    outcomes = await connection.fetch("SELECT outcome FROM login_audit ORDER BY id")
    assert [row["outcome"] for row in outcomes] == ["succeeded", "password"]
    assert await connection.fetchval("SELECT count(*) FROM action_audit") == 0


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("elevenchars", "too_short"),
        ("aaaaaaaaaaaa", "too_common"),
        ("121212121212", "too_common"),
        ("Password1234", "too_common"),
        ("Contraseña123", "too_common"),
        ("ticket-home-demo", "too_common"),
        ("CLINICAL_SANT", "is_username"),
        ("clinical_sant@example.org", "is_username"),
    ],
)
async def test_a_new_password_is_neither_short_nor_common_nor_the_name(
    sign_in: SignIn, seed: Seed, new: str, code: str
) -> None:
    nurse = await sign_in("clinical_sant")
    answer = await nurse.put(PASSWORD, json=changed(new=new))
    assert answer.status_code == 422
    assert [(e["path"], e["code"]) for e in answer.json()["errors"]] == [("new_password", code)]
    assert new not in answer.text
    assert (await nurse.get(ME)).status_code == 200


async def test_two_changes_at_once_leave_one_password(client: httpx.AsyncClient, sign_in: SignIn, seed: Seed) -> None:
    clients = [await sign_in("viewer_sant") for _ in range(2)]
    news = ["four words of the first", "four words of the second"]
    answers = await asyncio.gather(
        *(one.put(PASSWORD, json=changed(new=new)) for one, new in zip(clients, news, strict=True))
    )
    winners = [new for new, answer in zip(news, answers, strict=True) if answer.status_code == 200]
    assert len(winners) == 1
    logins = [
        await client.post("/v1/auth/login", json={"username": "viewer_sant", "password": new, "client": "mobile"})
        for new in news
    ]
    assert [answer.status_code == 200 for answer in logins] == [new in winners for new in news]


async def test_a_login_that_overtakes_a_new_password_leaves_no_session_with_the_old_one(
    client: httpx.AsyncClient, sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    asking = await sign_in("viewer_sant")
    login = {"username": "viewer_sant", "password": rows.PASSWORD, "client": "mobile"}
    logins = [asyncio.create_task(client.post("/v1/auth/login", json=login)) for _ in range(6)]
    # The logins are under way, each at another point.
    await asyncio.sleep(0.05)
    answer = await asking.put(PASSWORD, json=changed())
    assert answer.status_code == 200
    tokens = [made.json().get("token") for made in await asyncio.gather(*logins)]
    for token in tokens:
        if token is not None:
            assert (await client.get(ME, headers={"Authorization": f"Bearer {token}"})).status_code == 401
    assert await connection.fetchval("SELECT count(*) FROM user_session WHERE revoked_at IS NULL") == 1


async def test_where_browsers_sign_in_without_passwords_those_of_other_clients_are_changed(
    settings: Settings, seed: Seed
) -> None:
    async with running(settings.model_copy(update={"password_login": False})) as (_, client):
        await signing_in.sign_in(client, seed.sant.viewer)
        answer = await client.put(PASSWORD, json=changed())
        assert (answer.status_code, "token" in answer.json()) == (200, True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", SESSIONS),
        ("DELETE", SESSIONS),
        ("DELETE", f"{SESSIONS}/1"),
        ("PUT", PASSWORD),
        ("POST", "/v1/auth/logout"),
    ],
)
async def test_none_of_it_without_a_session(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path, json={"nonsense": 1} if method == "PUT" else None)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
