"""Users: listed, made, changed and signed out by those who may, and by nobody else."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes, refusal
from tests.support.audit import audits, last_audit
from tests.support.signing_in import ME, NEW_PASSWORD, log_in

USERS = "/v1/users"


def new(username: str = "nueva", role: str = "clinical", **values: Any) -> dict[str, Any]:
    return {"username": username, "email": f"{username}@example.org", "role": role, "password": NEW_PASSWORD} | values


@pytest.fixture
async def superuser(sign_in: SignIn, seed: Seed) -> httpx.AsyncClient:
    return await sign_in(seed.superuser)


@pytest.fixture
async def admin(sign_in: SignIn, seed: Seed) -> httpx.AsyncClient:
    return await sign_in(seed.sant.admin)


# --- listing


async def names(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get(USERS, params=query)
    assert answer.status_code == 200, answer.text
    return [item["username"] for item in answer.json()["items"]]


async def test_an_admin_lists_its_clinics_users_and_a_superuser_all(
    admin: httpx.AsyncClient, superuser: httpx.AsyncClient, seed: Seed
) -> None:
    own = ["admin_sant", "clinical_sant", "viewer_sant"]
    assert await names(admin) == own
    assert await names(admin, clinic_id=seed.sant.id) == own
    assert await names(superuser, clinic_id=seed.sant.id) == own
    every = await names(superuser)
    assert every == sorted([*own, "admin_maga", "clinical_maga", "viewer_maga", "superuser"])
    answer = await admin.get(USERS)
    assert answer.headers["cache-control"] == "no-store"
    item = answer.json()["items"][1]
    assert item == {
        "id": item["id"],
        "username": "clinical_sant",
        "email": "clinical_sant@example.org",
        "role": "clinical",
        "clinic_id": seed.sant.id,
        "is_active": True,
        "sso_only": False,
        "created_at": item["created_at"],
    }
    assert item["created_at"][-6:] in {"-03:00", "-04:00"}


async def test_users_are_for_those_who_administer(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    viewer_id = await rows.user_id(connection, seed.sant.viewer)
    for name in (seed.sant.viewer, seed.sant.clinical):
        user = await sign_in(name)
        for answer in (
            await user.get(USERS),
            await user.post(USERS, json=new()),
            await user.patch(f"{USERS}/{viewer_id}", json={"nonsense": 1}),
            await user.delete(f"{USERS}/{viewer_id}/sessions"),
        ):
            assert refusal(answer) == (403, "forbidden")


async def test_another_clinic_is_not_there(admin: httpx.AsyncClient, superuser: httpx.AsyncClient, seed: Seed) -> None:
    for query in ({"clinic_id": seed.maga.id}, {"clinic_id": 999_999}, {"clinic_id": seed.maga.id, "limit": 0}):
        assert (await admin.get(USERS, params=query)).status_code == 404
    for query in ({"clinic_id": 999_999}, {"clinic_id": 999_999, "limit": 0}):
        assert (await superuser.get(USERS, params=query)).status_code == 404


async def test_users_are_found_by_name_email_role_and_activity(
    admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    await rows.user(connection, "Jose.Nunez", "viewer", seed.sant.id, email="josé.núñez@clinica.cl", is_active=False)
    await rows.user(connection, "maria_100%", "viewer", seed.sant.id)
    assert await names(admin, q="NUNEZ") == ["Jose.Nunez"]
    assert await names(admin, q="núñez josé") == ["Jose.Nunez"]
    assert await names(admin, q="clinica.cl") == ["Jose.Nunez"]
    assert await names(admin, q="100%") == ["maria_100%"]
    assert await names(admin, q="_sant") == ["admin_sant", "clinical_sant", "viewer_sant"]
    assert await names(admin, q="maga") == []
    assert await names(admin, role="viewer") == ["Jose.Nunez", "maria_100%", "viewer_sant"]
    assert await names(admin, role="viewer", is_active="true") == ["maria_100%", "viewer_sant"]
    assert await names(admin, is_active="false") == ["Jose.Nunez"]
    for query in ({"role": "nurse"}, {"is_active": "perhaps"}, {"q": "x" * 201}, {"sort": "id"}, {"limit": 201}):
        assert (await admin.get(USERS, params=query)).status_code == 422


async def test_pages_neither_skip_nor_repeat_a_user_while_others_are_made(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    for number in range(25):
        await rows.user(connection, f"U{number:02d}", "viewer", seed.maga.id)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 7}
    while True:
        page = (await superuser.get(USERS, params=query)).json()
        seen += [item["username"] for item in page["items"]]
        if page["next"] is None:
            break
        await rows.user(connection, f"a{len(seen)}", "viewer", seed.maga.id)
        query = {"limit": 7, "cursor": page["next"]}
    old = [name for name in seen if not name.startswith("a") or "_" in name]
    assert len(old) == 25 + 7
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen, key=str.lower)
    other = {"limit": 7, "cursor": query["cursor"], "role": "viewer"}
    assert codes(await superuser.get(USERS, params=other)) == [("cursor", "other_parameters")]
    assert codes(await superuser.get(USERS, params={"cursor": "x"})) == [("cursor", "invalid")]


# --- making


@pytest.mark.parametrize("role", ["viewer", "clinical"])
async def test_an_admin_makes_viewers_and_clinical_users_of_its_clinic(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, connection: rows.Connection, seed: Seed, role: str
) -> None:
    made = await admin.post(USERS, json=new(role=role))
    assert made.status_code == 201, made.text
    item = made.json()
    assert (item["username"], item["role"], item["clinic_id"], item["is_active"]) == (
        "nueva",
        role,
        seed.sant.id,
        True,
    )
    assert "password" not in made.text
    assert await log_in(client, "NUEVA", NEW_PASSWORD) == 200
    audit = (await audits(connection, "user.created"))[0]
    assert (audit["username"], audit["clinic_id"], audit["target_id"]) == (
        seed.sant.admin,
        seed.sant.id,
        str(item["id"]),
    )
    assert audit["changes"] == {
        "username": [None, "nueva"],
        "email": [None, "nueva@example.org"],
        "role": [None, role],
        "clinic_id": [None, seed.sant.id],
        "is_active": [None, True],
    }


@pytest.mark.parametrize("role", ["admin", "superuser"])
async def test_an_admin_never_makes_admins(
    admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed, role: str
) -> None:
    assert refusal(await admin.post(USERS, json=new(role=role))) == (403, "forbidden")
    user_id = await rows.user_id(connection, seed.sant.viewer)
    assert refusal(await admin.patch(f"{USERS}/{user_id}", json={"role": role})) == (403, "forbidden")
    assert await connection.fetchval("SELECT role FROM app_user WHERE id = $1", user_id) == "viewer"


async def test_an_admin_makes_nobody_in_another_clinic(
    admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    for clinic_id in (seed.maga.id, 999_999):
        assert (await admin.post(USERS, json=new(clinic_id=clinic_id))).status_code == 404
    assert (await admin.post(USERS, json=new(clinic_id=seed.sant.id))).status_code == 201
    user_id = await rows.user_id(connection, "nueva")
    assert (await admin.patch(f"{USERS}/{user_id}", json={"clinic_id": seed.maga.id})).status_code == 404
    assert codes(await admin.patch(f"{USERS}/{user_id}", json={"clinic_id": None})) == [("clinic_id", "required")]
    assert (await admin.patch(f"{USERS}/{user_id}", json={"clinic_id": seed.sant.id})).status_code == 200


async def test_a_superuser_makes_users_of_every_role_and_clinic(superuser: httpx.AsyncClient, seed: Seed) -> None:
    for role in ("viewer", "clinical", "admin"):
        made = await superuser.post(USERS, json=new(f"u_{role}", role, clinic_id=seed.maga.id))
        assert (made.status_code, made.json()["clinic_id"]) == (201, seed.maga.id)
        assert codes(await superuser.post(USERS, json=new("x", role))) == [("clinic_id", "required")]
        unknown = await superuser.post(USERS, json=new("x", role, clinic_id=999_999))
        assert codes(unknown) == [("clinic_id", "unknown_reference")]
    made = await superuser.post(USERS, json=new("u_superuser", "superuser"))
    assert (made.status_code, made.json()["clinic_id"]) == (201, None)
    refused = await superuser.post(USERS, json=new("x", "superuser", clinic_id=seed.maga.id))
    assert codes(refused) == [("clinic_id", "not_of_superusers")]


async def test_nobody_is_put_into_a_closed_clinic(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    await connection.execute("UPDATE clinic SET is_active = false WHERE id = $1", seed.maga.id)
    assert codes(await superuser.post(USERS, json=new(clinic_id=seed.maga.id))) == [("clinic_id", "inactive")]
    user_id = await rows.user_id(connection, seed.sant.viewer)
    moved = await superuser.patch(f"{USERS}/{user_id}", json={"clinic_id": seed.maga.id})
    assert codes(moved) == [("clinic_id", "inactive")]


async def test_names_and_emails_are_unique_whatever_their_case_also_at_once(
    admin: httpx.AsyncClient, superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    for values in ({"username": "ADMIN_maga"}, {"email": "Admin_Maga@Example.org"}):
        assert refusal(await admin.post(USERS, json=new() | values)) == (409, "duplicate")
        user_id = await rows.user_id(connection, seed.sant.viewer)
        assert refusal(await admin.patch(f"{USERS}/{user_id}", json=values)) == (409, "duplicate")
    answers = await asyncio.gather(*(admin.post(USERS, json=new()) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


NOT_ALLOWED: list[tuple[str, Any]] = [
    ("username", ""),
    ("username", "with space"),
    ("username", "other@example.org"),
    ("username", "(command line)"),
    ("username", "x" * 81),
    ("username", None),
    ("email", "nobody"),
    ("email", "a@b@c"),
    ("email", f"{'x' * 250}@x.cl"),
    ("role", "nurse"),
    ("role", None),
    ("is_active", "yes"),
    ("is_active", None),
    ("clinic_id", "5"),
    ("password_hash", "x"),
]


async def test_what_a_user_may_not_be(admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed) -> None:
    user_id = await rows.user_id(connection, seed.sant.viewer)
    for field, value in NOT_ALLOWED:
        new_one = await admin.post(USERS, json=new() | {field: value})
        changed = await admin.patch(f"{USERS}/{user_id}", json={field: value})
        for answer in (new_one, changed):
            assert [path for path, _ in codes(answer)] == [field], value


@pytest.mark.parametrize(
    ("password", "code"),
    [("elevenchars", "too_short"), ("password12345", "too_common"), ("long_user_name", "is_username")],
)
async def test_passwords_follow_the_rules(
    admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed, password: str, code: str
) -> None:
    made = await admin.post(USERS, json=new("long_user_name", password=password))
    assert codes(made) == [("password", code)]
    assert password not in made.text
    user_id = await rows.user(connection, "long_user_name", "viewer", seed.sant.id)
    assert codes(await admin.patch(f"{USERS}/{user_id}", json={"password": password})) == [("password", code)]


# --- changing


async def test_the_order_is_403_404_422(admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed) -> None:
    admin_id, foreign = [await rows.user_id(connection, name) for name in (seed.sant.admin, seed.maga.viewer)]
    superuser_id = await rows.user_id(connection, seed.superuser)
    for body in ({"is_active": False}, {"nonsense": 1}, {"password": "x"}):
        assert refusal(await admin.patch(f"{USERS}/{admin_id}", json=body)) == (403, "forbidden")
        for user_id in (foreign, superuser_id, 999_999, 2**31):
            assert refusal(await admin.patch(f"{USERS}/{user_id}", json=body)) == (404, "not_found")
    assert refusal(await admin.delete(f"{USERS}/{admin_id}/sessions")) == (403, "forbidden")
    for user_id in (foreign, superuser_id, 999_999):
        assert refusal(await admin.delete(f"{USERS}/{user_id}/sessions")) == (404, "not_found")


async def test_what_changes_nothing_leaves_no_trace(
    admin: httpx.AsyncClient, sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    viewer, user_id = await sign_in(seed.sant.viewer), await rows.user_id(connection, seed.sant.viewer)
    for body in ({}, {"role": "viewer", "is_active": True, "username": seed.sant.viewer}):
        assert (await admin.patch(f"{USERS}/{user_id}", json=body)).status_code == 200
    assert await audits(connection) == []
    assert (await viewer.get(ME)).status_code == 200


async def test_a_change_is_audited_with_before_and_after(
    admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    user_id = await rows.user_id(connection, seed.sant.viewer)
    changed = await admin.patch(f"{USERS}/{user_id}", json={"role": "clinical", "email": "otra@example.org"})
    assert (changed.json()["role"], changed.json()["email"]) == ("clinical", "otra@example.org")
    audit = await last_audit(connection)
    assert (audit["action"], audit["clinic_id"], audit["target_id"]) == ("user.changed", seed.sant.id, str(user_id))
    assert audit["changes"] == {
        "role": ["viewer", "clinical"],
        "email": ["viewer_sant@example.org", "otra@example.org"],
    }


async def test_a_reset_password_is_audited_and_never_told(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    user_id = await rows.user_id(connection, seed.sant.viewer)
    changed = await admin.patch(f"{USERS}/{user_id}", json={"password": NEW_PASSWORD})
    assert changed.status_code == 200
    assert await log_in(client, seed.sant.viewer, NEW_PASSWORD) == 200
    assert await log_in(client, seed.sant.viewer, rows.PASSWORD) == 401
    stored = await connection.fetchval("SELECT password_hash FROM app_user WHERE id = $1", user_id)
    written = str(await audits(connection)) + changed.text
    assert [audit["action"] for audit in await audits(connection)] == ["user.password_reset"]
    assert NEW_PASSWORD not in written
    assert stored not in written


async def test_one_does_not_reset_ones_own_password(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    user_id = await rows.user_id(connection, seed.superuser)
    refused = await superuser.patch(f"{USERS}/{user_id}", json={"password": NEW_PASSWORD})
    assert codes(refused) == [("password", "own_password")]
    assert (await superuser.get(ME)).status_code == 200


async def test_one_who_moves_is_told_of_in_both_clinics_and_neither_learns_of_the_other(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    user_id = await rows.user_id(connection, seed.sant.viewer)
    moved = await superuser.patch(f"{USERS}/{user_id}", json={"clinic_id": seed.maga.id, "role": "admin"})
    assert (moved.json()["clinic_id"], moved.json()["role"]) == (seed.maga.id, "admin")
    changes = {audit["clinic_id"]: audit["changes"] for audit in await audits(connection)}
    role = {"role": ["viewer", "admin"]}
    assert changes == {
        seed.sant.id: role | {"clinic_id": [seed.sant.id, None]},
        seed.maga.id: role | {"clinic_id": [None, seed.maga.id]},
    }


async def test_a_superuser_has_no_clinic_and_everybody_else_one(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    user_id = await rows.user_id(connection, seed.sant.admin)
    path = f"{USERS}/{user_id}"
    assert codes(await superuser.patch(path, json={"role": "superuser"})) == [("clinic_id", "not_of_superusers")]
    raised = await superuser.patch(path, json={"role": "superuser", "clinic_id": None})
    assert (raised.json()["role"], raised.json()["clinic_id"]) == ("superuser", None)
    assert codes(await superuser.patch(path, json={"role": "admin"})) == [("clinic_id", "required")]
    lowered = await superuser.patch(path, json={"role": "admin", "clinic_id": seed.maga.id})
    assert (lowered.json()["role"], lowered.json()["clinic_id"]) == ("admin", seed.maga.id)


async def test_the_same_key_makes_one_user(admin: httpx.AsyncClient, connection: rows.Connection, seed: Seed) -> None:
    answers = await asyncio.gather(
        *(admin.post(USERS, json=new(), headers={"Idempotency-Key": "one"}) for _ in range(2))
    )
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    kept = await connection.fetchval("SELECT body FROM idempotency_key")
    assert NEW_PASSWORD.encode() not in kept
