"""POST /v1/auth/iap: who Google says that somebody is signs them in, if they have an account here."""

import asyncio
import gzip
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.api.v1.auth.forgeries import forgeries
from tests.conftest import BASE_URL, SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.factories.rows import Connection
from tests.support.answers import codes
from tests.support.audit import audits
from tests.support.iap import ALSO, AUDIENCE, KeyServer, Signer, key_server
from tests.support.signing_in import LOGIN, ME, cookie_of, credentials

IAP = "/v1/auth/iap"
HEADER = "X-Goog-IAP-JWT-Assertion"
GOOGLE = Signer("google-1")
BOSS = "the.boss@example.org"


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    with key_server(GOOGLE) as served:
        yield served


@pytest.fixture
def settings(settings: Settings, keys: KeyServer) -> Settings:
    return settings.model_copy(
        update={"iap_audience": (AUDIENCE, ALSO), "iap_keys_url": keys.url, "superuser_emails": (BOSS,)}
    )


async def come_in(client: httpx.AsyncClient, email: str, **claims: Any) -> httpx.Response:
    client.cookies.clear()
    return await client.post(IAP, headers={HEADER: GOOGLE.assertion(email, **claims)})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def outcomes(connection: Connection) -> list[tuple[str, str, int | None]]:
    found = await connection.fetch("SELECT username, outcome, clinic_id FROM login_audit ORDER BY id")
    return [tuple(row) for row in found]


async def test_it_is_the_session_of_a_login_at_a_browser(
    client: httpx.AsyncClient, seed: Seed, connection: Connection
) -> None:
    by_password = await client.post(LOGIN, json=credentials(seed.sant.viewer, client="web"))
    answer = await come_in(client, f"{seed.sant.viewer}@EXAMPLE.org", aud=ALSO)
    assert answer.status_code == 200
    assert answer.json()["user"] == by_password.json()["user"]
    assert list(answer.json()) == list(by_password.json())
    one, other = cookie_of(answer), cookie_of(by_password)
    assert one.keys() == other.keys() == {"th_session", "th_device"}
    for name, cookie in one.items():
        assert {key: cookie[key] for key in cookie if key != "expires"} == {
            key: other[name][key] for key in cookie if key != "expires"
        }
        assert cookie.value != other[name].value
    assert (await client.get(ME)).json() == answer.json()
    audited = await connection.fetch(
        "SELECT DISTINCT user_id, username, clinic_id, succeeded, outcome, client, ip, user_agent FROM login_audit"
    )
    assert [row["outcome"] for row in audited] == ["succeeded"], "both alike"
    sessions = await connection.fetch("SELECT client, idle_seconds, ip, user_agent FROM user_session ORDER BY id")
    assert sessions[0] == sessions[1]


async def test_no_forgery_signs_anybody_in_and_nothing_of_it_is_logged(
    settings: Settings, seed: Seed, connection: Connection, keys: KeyServer, capfd: pytest.CaptureFixture[str]
) -> None:
    email = "clinical_sant@example.org"
    tried = 0
    with key_server(Signer(GOOGLE.key_id)) as elsewhere:
        async with running(settings) as (_, client):
            for what, forged in forgeries(GOOGLE, email, elsewhere.url):
                value = forged if isinstance(forged, bytes) else forged.encode("latin-1")
                answer = await client.post(IAP, headers={HEADER.encode(): value})
                assert refusal(answer) == (401, "invalid_assertion"), (what, answer.text)
                assert "set-cookie" not in answer.headers, what
                assert answer.headers["www-authenticate"] == "Bearer"
                tried += 1
            assert (await come_in(client, email)).status_code == 200, "the right one still does"
        assert elsewhere.asked == 0
    assert tried > 150
    assert keys.asked <= 3, "made-up key ids do not make us ask"
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 1
    assert await outcomes(connection) == [(seed.sant.clinical, "succeeded", seed.sant.id)]
    logged = capfd.readouterr().out
    assert '"event":"assertion refused"' in logged
    assert '"reason":"InvalidAudienceError"' in logged
    for secret in ("eyJ", email, AUDIENCE, GOOGLE.key_id, "accounts.google.com", "1234567890", elsewhere.url):
        assert secret not in logged, secret
    lines = [json.loads(line) for line in logged.splitlines()]
    assert sum(line["event"] == "assertion refused" for line in lines) < 20, "one line a minute for each kind"


async def test_clocks_may_differ_by_half_a_minute(client: httpx.AsyncClient, seed: Seed) -> None:
    now = int(time.time())
    for claims in ({"exp": now - 10}, {"iat": now + 10}, {"nbf": now + 10}):
        assert (await come_in(client, "viewer_sant@example.org", **claims)).status_code == 200, claims


async def test_of_two_assertions_none_is_believed(client: httpx.AsyncClient, seed: Seed) -> None:
    right, forged = (
        GOOGLE.assertion("viewer_sant@example.org"),
        Signer(GOOGLE.key_id).assertion("superuser@example.org"),
    )
    for pair in ((right, right), (right, forged), (forged, right), (right, ""), ("", right)):
        for names in ((HEADER, HEADER), (HEADER, HEADER.lower()), (HEADER.upper(), HEADER)):
            answer = await client.post(IAP, headers=list(zip(names, pair, strict=True)))
            assert refusal(answer) == (400, "malformed_request")
            assert "set-cookie" not in answer.headers


async def test_an_assertion_opens_its_own_door_alone(client: httpx.AsyncClient, seed: Seed) -> None:
    right = GOOGLE.assertion("viewer_sant@example.org")
    assert refusal(await client.post(IAP)) == (401, "not_authenticated")
    for scheme in ("Bearer", "bearer", "bEaReR", "BEARER"):
        bearer = {"Authorization": f"{scheme} {right}"}
        assert refusal(await client.post(IAP, headers=bearer)) == (401, "not_authenticated")
        assert refusal(await client.get(ME, headers=bearer)) == (401, "not_authenticated")
    for header in ({HEADER: right}, {"Cookie": f"th_session={right}"}, {"Proxy-Authorization": f"Bearer {right}"}):
        assert refusal(await client.get(ME, headers=header)) == (401, "not_authenticated")
    for name in ("X-Goog-Authenticated-User-Email", "X-Goog-Authenticated-User-JWT", "X-Forwarded-Email"):
        for value in (right, "accounts.google.com:viewer_sant@example.org"):
            assert refusal(await client.post(IAP, headers={name: value})) == (401, "not_authenticated")
    assert (await client.post(IAP, headers={HEADER.lower(): right})).status_code == 200


async def test_what_it_does_not_take_is_refused_after_who_it_is(
    client: httpx.AsyncClient, seed: Seed, settings: Settings
) -> None:
    right, packed = {HEADER: GOOGLE.assertion("viewer_sant@example.org")}, {"Content-Encoding": "gzip"}
    refused: list[tuple[dict[str, str], bytes, str, list[tuple[str, str]]]] = [
        ({}, b'{"shape": 1, "colour": "red"}', "", [("colour", "unknown_field"), ("shape", "unknown_field")]),
        (packed, gzip.compress(b"{}"), "", [("body", "invalid")]),
        ({}, b"", "?client=display", [("client", "unknown_field")]),
    ]
    for headers, content, query, expected in refused:
        answer = await client.post(IAP + query, content=content, headers=right | headers)
        assert codes(answer) == expected
        assert refusal(await client.post(IAP + query, content=content, headers=headers)) == (401, "not_authenticated")
    async with running(settings.model_copy(update={"iap_audience": ()})) as (_, other):
        for headers, content, query, _expected in refused:
            answer = await other.post(IAP + query, content=content, headers=right | headers)
            assert refusal(answer) == (404, "not_found")


async def test_another_site_s_page_signs_nobody_in(client: httpx.AsyncClient, seed: Seed) -> None:
    right = {HEADER: GOOGLE.assertion("viewer_sant@example.org")}
    for more in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert refusal(await client.post(IAP, headers=right | more)) == (403, "cross_origin")
    assert (await client.post(IAP, headers=right | {"Origin": BASE_URL})).status_code == 200


async def test_who_has_no_account_in_use_is_not_provisioned(
    client: httpx.AsyncClient, seed: Seed, connection: Connection
) -> None:
    await connection.execute("UPDATE app_user SET is_active = false WHERE username = 'viewer_sant'")
    await connection.execute("UPDATE clinic SET is_active = false WHERE id = $1", seed.maga.id)
    for name in ("nobody", "viewer_sant", "viewer_maga"):
        answer = await come_in(client, f"{name}@example.org")
        assert refusal(answer) == (403, "not_provisioned")
        assert "set-cookie" not in answer.headers
    assert await outcomes(connection) == [
        ("nobody@example.org", "not_provisioned", None),
        ("viewer_sant", "inactive", seed.sant.id),
        ("viewer_maga", "clinic_inactive", seed.maga.id),
    ]
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 0


async def test_who_is_refused_again_and_again_fills_no_audit_and_keeps_nobody_else_out(
    client: httpx.AsyncClient, seed: Seed, connection: Connection
) -> None:
    for number in range(15):
        answer = await come_in(client, "nobody@example.org")
        assert refusal(answer) == ((403, "not_provisioned") if number < 10 else (429, "too_many_attempts"))
    assert [outcome for _, outcome, _ in await outcomes(connection)] == ["not_provisioned"] * 10 + ["throttled"]
    assert (await come_in(client, "viewer_sant@example.org")).status_code == 200
    await rows.user(connection, "nobody", "viewer", seed.sant.id)
    assert (await come_in(client, "nobody@example.org")).status_code == 200, "an account was made for them meanwhile"


async def test_who_guesses_a_password_keeps_its_user_from_no_single_sign_on(
    client: httpx.AsyncClient, seed: Seed
) -> None:
    for _ in range(10):
        await client.post(LOGIN, json=credentials("viewer_sant", "a wrong one"))
    assert (await client.post(LOGIN, json=credentials("viewer_sant"))).status_code == 429
    assert (await come_in(client, "viewer_sant@example.org")).status_code == 200
    client.cookies.clear()
    assert (await client.post(LOGIN, json=credentials("viewer_sant"))).status_code == 429, "nor are guesses forgiven"


async def test_it_is_the_email_that_counts_and_no_name_like_it(
    client: httpx.AsyncClient, seed: Seed, connection: Connection
) -> None:
    """Emails that look, or fold, alike are those of different people; a user name is nobody's email."""
    alike = {
        "ana.strasse@example.org": "one", "ana.straße@example.org": "two", "anastrasse@example.org": "three",
        "ana.strasse+x@example.org": "four", "ÁNA.strasse@example.org": "five",
    }  # fmt: skip
    for email, name in alike.items():
        await rows.user(connection, name, "viewer", seed.sant.id, email=email)
    await rows.user(connection, "carla@example.org", "admin", seed.sant.id, email="other@example.org")
    await rows.user(connection, "carla", "viewer", seed.sant.id, email="Carla@Example.org")
    for email, name in alike.items():
        if email.isascii():
            assert (await come_in(client, email.upper())).json()["user"]["username"] == name
        else:
            assert refusal(await come_in(client, email)) == (401, "invalid_assertion")
    assert (await come_in(client, "cARLA@example.ORG")).json()["user"]["username"] == "carla"
    assert refusal(await come_in(client, "carla")) == (401, "invalid_assertion")


async def test_an_email_that_an_admin_changes_is_another_person_s_way_in(
    client: httpx.AsyncClient, seed: Seed, connection: Connection
) -> None:
    first = (await come_in(client, "viewer_sant@example.org")).json()["user"]["id"]
    client.cookies.clear()
    admin = {"Authorization": f"Bearer {(await client.post(LOGIN, json=credentials(seed.sant.admin))).json()['token']}"}
    changed = await client.patch(f"/v1/users/{first}", json={"email": "Next@example.org"}, headers=admin)
    assert changed.status_code == 200
    assert refusal(await come_in(client, "viewer_sant@example.org")) == (403, "not_provisioned")
    assert (await come_in(client, "next@example.org")).json()["user"]["id"] == first


async def test_a_superuser_is_made_at_the_first_sign_in_and_audited(
    client: httpx.AsyncClient, seed: Seed, connection: Connection
) -> None:
    at_once = await asyncio.gather(
        *(client.post(IAP, headers={HEADER: GOOGLE.assertion(email)}) for email in (BOSS, BOSS.upper(), BOSS))
    )
    users = [answer.json()["user"] for answer in at_once]
    assert users[0] == users[1] == users[2]
    assert users[0] | {"id": 0} == {
        "id": 0, "username": "the.boss", "email": BOSS, "role": "superuser", "clinic_id": None
    }  # fmt: skip
    assert await connection.fetchval("SELECT password_hash FROM app_user WHERE email = $1", BOSS) == "!"
    (made,) = [one for one in await audits(connection) if one["action"] == "user.created"]
    assert (made["username"], made["target_id"], made["clinic_id"]) == ("(SUPERUSER_EMAILS)", str(users[0]["id"]), None)
    assert made["changes"]["role"] == [None, "superuser"]
    assert [outcome for _, outcome, _ in await outcomes(connection)] == ["succeeded"] * 3
    client.cookies.clear()
    for password in ("!", "", "iap_user_placeholder", rows.PASSWORD):
        answer = await client.post(LOGIN, json=credentials("the.boss", password or " "))
        assert refusal(answer) == (401, "invalid_credentials")


async def test_a_user_name_that_is_taken_is_nobody_s_way_out(
    client: httpx.AsyncClient, seed: Seed, connection: Connection
) -> None:
    await rows.user(connection, "The.Boss", "viewer", seed.sant.id, email="another@example.org")
    answer = await come_in(client, BOSS)
    assert answer.json()["user"]["username"].startswith("the.boss-")
    assert answer.json()["user"]["role"] == "superuser"


async def test_superuser_emails_promote_move_and_reactivate_nobody(
    client: httpx.AsyncClient, seed: Seed, connection: Connection
) -> None:
    user_id = await rows.user(connection, "boss", "viewer", seed.sant.id, email=BOSS.upper())
    before = await connection.fetchrow("SELECT * FROM app_user WHERE id = $1", user_id)
    assert (await come_in(client, BOSS)).json()["user"]["role"] == "viewer"
    assert await connection.fetchrow("SELECT * FROM app_user WHERE id = $1", user_id) == before
    await connection.execute("UPDATE app_user SET is_active = false WHERE id = $1", user_id)
    assert refusal(await come_in(client, BOSS)) == (403, "not_provisioned")
    await connection.execute("UPDATE app_user SET role = 'superuser', clinic_id = NULL WHERE id = $1", user_id)
    assert refusal(await come_in(client, BOSS)) == (403, "not_provisioned")
    assert await connection.fetchval("SELECT count(*) FROM app_user WHERE lower(email) = $1", BOSS) == 1


async def test_while_the_keys_cannot_be_had_it_is_unavailable_and_then_it_goes_on(
    settings: Settings, keys: KeyServer, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.users.iap.keys.PAUSE", 0)
    keys.says(b"", 500)
    async with running(settings) as (_, client):
        answer = await come_in(client, "viewer_sant@example.org")
        assert refusal(answer) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        keys.publishes(GOOGLE)
        assert (await come_in(client, "viewer_sant@example.org")).status_code == 200
        keys.says(b"", 500)
        assert (await come_in(client, "viewer_sant@example.org")).status_code == 200


async def test_without_redis_it_goes_on_and_without_postgresql_it_is_unavailable(
    settings: Settings, seed: Seed, connection: Connection
) -> None:
    nowhere = SecretStr("redis://127.0.0.1:1")
    async with running(settings.model_copy(update={"redis_url": nowhere})) as (_, client):
        answer = await come_in(client, "viewer_sant@example.org")
        assert answer.status_code == 200
        assert (await client.get(ME)).json() == answer.json()
        answers = [refusal(await come_in(client, "nobody@example.org")) for _ in range(12)]
        assert answers == [(403, "not_provisioned")] * 10 + [(429, "too_many_attempts")] * 2
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:1/nothing")
    async with running(settings.model_copy(update={"database_url": nowhere})) as (_, client):
        for email in ("viewer_sant@example.org", "nobody@example.org", BOSS):
            assert refusal(await come_in(client, email)) == (503, "unavailable")


async def test_without_an_audience_the_header_is_refused(settings: Settings, keys: KeyServer, seed: Seed) -> None:
    async with running(settings.model_copy(update={"iap_audience": ()})) as (_, client):
        answer = await come_in(client, "viewer_sant@example.org")
        assert refusal(answer) == (404, "not_found")
        assert refusal(await client.post(IAP)) == (404, "not_found")
        assert (await client.get("/v1/auth/methods")).json() == {"password": True, "sso": False}
    assert keys.asked == 0


async def test_passwords_may_be_for_other_clients_than_browsers_only(
    settings: Settings, seed: Seed, connection: Connection
) -> None:
    async with running(settings.model_copy(update={"password_login": False})) as (_, client):
        assert (await client.get("/v1/auth/methods")).json() == {"password": False, "sso": True}
        for body in (credentials(seed.sant.viewer, client="web"), {"username": "nobody", "password": "x"}):
            assert refusal(await client.post(LOGIN, json=body)) == (403, "single_sign_on_only")
        assert await outcomes(connection) == []
        for kind in ("mobile", "display"):
            assert (await client.post(LOGIN, json=credentials(seed.sant.viewer, client=kind))).status_code == 200
        assert (await come_in(client, "viewer_sant@example.org")).status_code == 200


async def test_a_user_made_without_a_password_comes_in_so(
    client: httpx.AsyncClient, sign_in: SignIn, seed: Seed
) -> None:
    made = {"username": "carla", "email": "carla@example.org", "role": "viewer", "password": None}
    assert (await (await sign_in(seed.sant.admin)).post("/v1/users", json=made)).status_code == 201
    assert (await client.post(LOGIN, json=credentials("carla", "!"))).status_code == 401
    assert (await come_in(client, "carla@example.org")).json()["user"]["username"] == "carla"
