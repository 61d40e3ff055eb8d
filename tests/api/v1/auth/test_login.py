"""POST /v1/auth/login: what a client sees, and what the audit keeps."""

import asyncio
import json
import secrets
from datetime import UTC, datetime

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from pydantic import SecretStr

from core.settings import DEMO_DOMAIN, Settings
from core.settings.safe import DEMO_PASSWORD
from tests.conftest import BASE_URL, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.cache.settled import settled
from tests.support.signing_in import LOGIN, ME, cookie_of, credentials


@pytest.fixture
def hashes() -> None:
    """At their full cost."""


async def audited(connection: rows.Connection) -> list[tuple[str, str, bool, int | None]]:
    found = await connection.fetch("SELECT username, outcome, succeeded, clinic_id FROM login_audit ORDER BY id")
    return [tuple(row) for row in found]


async def test_a_mobile_login_answers_who_until_when_and_a_token(client: httpx.AsyncClient, seed: Seed) -> None:
    answer = await client.post(LOGIN, json=credentials("admin_maga"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    body = answer.json()
    assert list(body) == ["user", "expires_at", "idle_seconds", "token"]
    assert body["user"]["id"] > 0
    assert body["user"] | {"id": 0} == {
        "id": 0,
        "username": "admin_maga",
        "email": "admin_maga@example.org",
        "role": "admin",
        "clinic_id": seed.maga.id,
    }
    assert body["idle_seconds"] == 3600
    assert body["expires_at"].endswith("-03:00")
    lasts = datetime.fromisoformat(body["expires_at"]) - datetime.now(UTC)
    assert lasts.total_seconds() == pytest.approx(12 * 3600, abs=10)


async def test_a_web_login_sets_the_cookie_and_answers_no_token(client: httpx.AsyncClient, seed: Seed) -> None:
    answer = await client.post(LOGIN, json={"username": "viewer_sant", "password": rows.PASSWORD})
    assert answer.status_code == 200
    assert list(answer.json()) == ["user", "expires_at", "idle_seconds"]
    cookie = cookie_of(answer)["th_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "lax", "/", "")
    assert cookie["max-age"] == str(12 * 3600)
    assert cookie["domain"] == ""
    me = await client.get(ME)  # the client keeps the cookie
    assert me.json() == answer.json()


async def test_in_production_the_cookie_is_pinned_to_this_host_over_tls(
    settings: Settings, connection: rows.Connection, seed: Seed
) -> None:
    production = settings.model_copy(update={"env": "production"})
    chosen = "one that is not the demo's"
    await connection.execute("UPDATE app_user SET password_hash = $1", PasswordHasher().hash(chosen))
    async with running(production) as (_, client):
        answer = await client.post(LOGIN, json=credentials("viewer_sant", chosen, "web"))
        cookie = cookie_of(answer)["__Host-th_session"]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "lax", "/", True)
        assert cookie["domain"] == ""
        sent = {"Cookie": f"__Host-th_session={cookie.value}", "Origin": BASE_URL.replace("http:", "https:")}
        assert (await client.get(ME, headers=sent)).status_code == 200
        assert (await client.get(ME, headers={"Cookie": f"th_session={cookie.value}"})).status_code == 401
        ended = await client.post("/v1/auth/logout", headers=sent)
        emptied = cookie_of(ended)["__Host-th_session"]
        # Browsers refuse a __Host- cookie without these, an emptying one too.
        assert (emptied.value, emptied["max-age"], emptied["secure"], emptied["path"]) == ("", "0", True, "/")


async def test_a_display_reads_for_thirty_days_and_writes_nothing(
    client: httpx.AsyncClient, seed: Seed, capsys: pytest.CaptureFixture[str]
) -> None:
    body = (await client.post(LOGIN, json=credentials("viewer_sant", client="display"))).json()
    assert body["idle_seconds"] is None
    lasts = datetime.fromisoformat(body["expires_at"]) - datetime.now(UTC)
    assert lasts.total_seconds() == pytest.approx(30 * 86400, abs=2 * 3600)
    bearer = {"Authorization": f"Bearer {body['token']}"}
    assert (await client.get(ME, headers=bearer)).json()["idle_seconds"] is None
    capsys.readouterr()
    refused = await client.delete("/v1/auth/sessions", headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["status"], line["user_id"], line["clinic_id"]) == (403, body["user"]["id"], seed.sant.id)
    assert (await client.post("/v1/auth/logout", headers=bearer)).status_code == 204
    assert (await client.get(ME, headers=bearer)).status_code == 401


async def test_the_name_may_be_the_email_and_case_does_not_matter(client: httpx.AsyncClient, seed: Seed) -> None:
    for name in ("VIEWER_Sant", "viewer_sant@example.org", "Viewer_SANT@Example.ORG", "  viewer_sant "):
        answer = await client.post(LOGIN, json=credentials(name))
        assert answer.json()["user"]["username"] == "viewer_sant"


async def test_a_user_name_comes_before_anothers_email(
    client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    await rows.user(connection, "viewer_sant@example.org", "viewer", seed.maga.id, email="other@example.org")
    answer = await client.post(LOGIN, json=credentials("viewer_sant@example.org"))
    assert answer.json()["user"]["email"] == "other@example.org"


async def test_a_superuser_is_told_times_of_the_network(client: httpx.AsyncClient, seed: Seed) -> None:
    body = (await client.post(LOGIN, json=credentials("superuser"))).json()
    assert (body["user"]["role"], body["user"]["clinic_id"]) == ("superuser", None)
    assert body["expires_at"][-6:] in {"-03:00", "-04:00"}


async def test_every_refusal_looks_the_same_and_the_audit_tells_them_apart(
    client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    await connection.execute("UPDATE app_user SET is_active = false WHERE username = 'clinical_sant'")
    await connection.execute("UPDATE clinic SET is_active = false WHERE id = $1", seed.maga.id)
    sant, maga = seed.sant.id, seed.maga.id
    refused = [
        (credentials("nobody"), ("nobody", "unknown", False, None)),
        (credentials("Viewer_sant", password="wrong"), ("viewer_sant", "password", False, sant)),
        (credentials("clinical_sant"), ("clinical_sant", "inactive", False, sant)),
        (credentials("clinical_sant", password="wrong"), ("clinical_sant", "password", False, sant)),
        (credentials("viewer_maga"), ("viewer_maga", "clinic_inactive", False, maga)),
        (credentials("admin_sant", client="display"), ("admin_sant", "display_not_viewer", False, sant)),
        (credentials("superuser", client="display"), ("superuser", "display_not_viewer", False, None)),
    ]
    bodies = []
    for sent, _ in refused:
        answer = await client.post(LOGIN, json=sent)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        bodies.append(answer.json() | {"request_id": ""})
    assert bodies[0]["code"] == "invalid_credentials"
    assert all(body == bodies[0] for body in bodies)
    assert await audited(connection) == [row for _, row in refused]
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 0


async def test_a_login_is_audited_with_where_from(
    client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    headers = {"User-Agent": "Wall/1.0 " + "x" * 300, "X-Request-ID": "from-the-test"}
    await client.post(LOGIN, json=credentials("viewer_sant", client="web"), headers=headers)
    row = await connection.fetchrow("SELECT * FROM login_audit")
    assert row is not None
    assert (row["outcome"], row["succeeded"], row["client"]) == ("succeeded", True, "web")
    assert (row["ip"], row["request_id"]) == ("127.0.0.1", "from-the-test")
    assert row["user_agent"] == headers["User-Agent"][:200]
    session = await connection.fetchrow("SELECT * FROM user_session")
    assert session is not None
    assert (session["ip"], session["user_agent"], session["client"]) == ("127.0.0.1", row["user_agent"], "web")
    assert row["at"] >= session["created_at"]


async def test_the_token_is_stored_nowhere(
    app: FastAPI, client: httpx.AsyncClient, connection: rows.Connection, settings: Settings, seed: Seed
) -> None:
    token = (await client.post(LOGIN, json=credentials("viewer_sant"))).json()["token"]
    await client.get(ME, headers={"Authorization": f"Bearer {token}"})
    await settled(app.state.runtime)
    identity = token.partition(".")[0]
    assert identity not in str(await connection.fetch("SELECT * FROM user_session"))
    redis = app.state.runtime.redis.client
    keys = [key async for key in redis.scan_iter(f"{settings.cache_prefix}:*") if await redis.type(key) == b"string"]
    held = {key: await redis.get(key) for key in keys}
    assert any(b"session" in key for key in held)
    assert identity.encode() not in repr(held).encode()


async def test_a_cookie_sent_to_login_is_neither_identity_nor_kept(client: httpx.AsyncClient, seed: Seed) -> None:
    first = cookie_of(await client.post(LOGIN, json=credentials("admin_sant", client="web")))["th_session"].value
    made_up = secrets.token_urlsafe(64)
    for cookie in (first, made_up):
        headers = {"Cookie": f"th_session={cookie}", "Origin": BASE_URL}
        wrong = await client.post(LOGIN, json=credentials("viewer_sant", password="wrong"), headers=headers)
        assert wrong.status_code == 401
        second = await client.post(LOGIN, json=credentials("viewer_sant", client="web"), headers=headers)
        assert cookie_of(second)["th_session"].value not in {first, made_up}
        assert second.json()["user"]["username"] == "viewer_sant"
    client.cookies.clear()
    me = await client.get(ME, headers={"Cookie": f"th_session={first}"})
    assert me.json()["user"]["username"] == "admin_sant"


async def test_the_bearer_token_wins_over_the_cookie(client: httpx.AsyncClient, seed: Seed) -> None:
    cookie = cookie_of(await client.post(LOGIN, json=credentials("admin_sant", client="web")))["th_session"].value
    client.cookies.clear()
    token = (await client.post(LOGIN, json=credentials("viewer_sant"))).json()["token"]
    both = {"Cookie": f"th_session={cookie}", "Authorization": f"bearer {token}"}
    assert (await client.get(ME, headers=both)).json()["user"]["username"] == "viewer_sant"
    assert (await client.get(ME, headers=both | {"Authorization": "Bearer nonsense"})).status_code == 401
    # Not ours at all: a proxy in front may use it.
    assert (await client.get(ME, headers=both | {"Authorization": "Basic eDp5"})).status_code == 200


@pytest.mark.parametrize("form", ["{}", "{}.{}", "{}\u00e9", "x{}"])
async def test_a_forged_token_is_401(client: httpx.AsyncClient, seed: Seed, form: str) -> None:
    token = (await client.post(LOGIN, json=credentials("viewer_sant"))).json()["token"]
    for broken in (token[:-1], token.swapcase(), "", ".", "a" * 87, token + "=", token * 50):
        sent = form.format(broken, broken).encode("latin-1")
        for headers in ([(b"authorization", b"Bearer " + sent)], [(b"cookie", b"th_session=" + sent)]):
            answer = await client.get(ME, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


async def test_an_old_key_verifies_and_a_dropped_one_does_not(settings: Settings, seed: Seed) -> None:
    key = settings.secret_keys[0]
    newer = SecretStr("another-test-secret-of-forty-characters!")
    async with running(settings) as (_, client):
        token = (await client.post(LOGIN, json=credentials("viewer_sant"))).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    async with running(settings.model_copy(update={"secret_keys": (newer, key)})) as (_, client):
        assert (await client.get(ME, headers=bearer)).status_code == 200
    async with running(settings.model_copy(update={"secret_keys": (newer,)})) as (_, client):
        assert (await client.get(ME, headers=bearer)).status_code == 401


MALFORMED = [
    ({"password": "x"}, "username", "required"),
    ({"username": "x"}, "password", "required"),
    ({"username": "", "password": "x"}, "username", "string_too_short"),
    ({"username": "x" * 255, "password": "x"}, "username", "string_too_long"),
    ({"username": "x", "password": ""}, "password", "too_short"),
    ({"username": "x", "password": "x" * 1025}, "password", "too_long"),
    ({"username": "x", "password": "x", "client": "fridge"}, "client", "literal_error"),
    ({"username": "x", "password": "x", "remember": True}, "remember", "unknown_field"),
    ({"username": "a\u0000b", "password": "x"}, "username", "invalid"),
    ({"username": "x", "password": 7}, "password", "string_type"),
    ({"username": ["x"], "password": "x"}, "username", "string_type"),
]


async def test_a_malformed_login_is_told_field_by_field(client: httpx.AsyncClient) -> None:
    for body, path, code in MALFORMED:
        answer = await client.post(LOGIN, json=body)
        assert answer.status_code == 422, (body, path, code)
        assert [(error["path"], error["code"]) for error in answer.json()["errors"]] == [(path, code)], (
            body,
            path,
            code,
        )


async def test_a_lone_surrogate_is_422(client: httpx.AsyncClient) -> None:
    for field in ("username", "password"):
        content = '{"username": "x", "password": "x"}'.replace(f'"{field}": "x"', f'"{field}": "\\ud800"')
        answer = await client.post(LOGIN, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 422}


async def test_a_password_is_never_told_back(client: httpx.AsyncClient) -> None:
    answer = await client.post(LOGIN, json={"username": 5, "password": "hunter2hunter2", "client": "x"})
    assert "hunter2" not in answer.text


async def test_a_passwords_spaces_count(client: httpx.AsyncClient, connection: rows.Connection, seed: Seed) -> None:
    spaced = PasswordHasher().hash(" four words and spaces ")
    await connection.execute("UPDATE app_user SET password_hash = $1 WHERE username = 'viewer_sant'", spaced)
    right = await client.post(LOGIN, json=credentials("viewer_sant", password=" four words and spaces "))
    trimmed = await client.post(LOGIN, json=credentials("viewer_sant", password="four words and spaces"))
    assert (right.status_code, trimmed.status_code) == (200, 401)


async def test_a_hash_of_other_parameters_is_replaced_at_the_first_login(
    client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(rows.PASSWORD)
    await connection.execute("UPDATE app_user SET password_hash = $1 WHERE username = 'viewer_sant'", weak)
    read = "SELECT password_hash FROM app_user WHERE username = 'viewer_sant'"
    assert (await client.post(LOGIN, json=credentials("viewer_sant", password="wrong"))).status_code == 401
    assert await connection.fetchval(read) == weak
    # By two names, since one name's attempts take turns. Who verified the old hash meanwhile is as right as the other.
    email = await connection.fetchval("SELECT email FROM app_user WHERE username = 'viewer_sant'")
    at_once = [client.post(LOGIN, json=credentials(name)) for name in ("viewer_sant", email)]
    assert [answer.status_code for answer in await asyncio.gather(*at_once)] == [200, 200]
    assert [outcome for _, outcome, *_ in await audited(connection)] == ["password", "succeeded", "succeeded"]
    renewed = await connection.fetchval(read)
    assert renewed != weak
    assert not PasswordHasher().check_needs_rehash(renewed)
    assert (await client.post(LOGIN, json=credentials("viewer_sant"))).status_code == 200


async def test_what_is_no_hash_lets_nobody_in(
    client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    for stored in ("!", "", rows.PASSWORD, "pbkdf2:sha256:1$x$y"):
        await connection.execute("UPDATE app_user SET password_hash = $1 WHERE username = 'viewer_sant'", stored)
        assert (await client.post(LOGIN, json=credentials("viewer_sant"))).status_code == 401


async def test_in_production_the_demo_s_password_is_never_right(
    settings: Settings, connection: rows.Connection, seed: Seed, capfd: pytest.CaptureFixture[str]
) -> None:
    demo, chosen = DEMO_PASSWORD, "another one for the demo"
    for name, password in ((seed.sant.viewer, demo), (seed.sant.clinical, chosen)):
        await connection.execute(
            "UPDATE app_user SET password_hash = $2, email = username || '@' || $3 WHERE username = $1",
            *(name, PasswordHasher().hash(password), DEMO_DOMAIN),
        )
    given = settings.model_copy(update={"demo_password": SecretStr(chosen)})
    for env, status in (("local", 200), ("production", 401)):
        async with running(given.model_copy(update={"env": env})) as (_, client):
            for name, password in ((seed.sant.viewer, demo), (seed.sant.clinical, chosen)):
                answer = await client.post(LOGIN, json=credentials(name, password=password))
                assert answer.status_code == status, (env, name)
    assert capfd.readouterr().out.count("the demo's accounts are active in production") == 1
