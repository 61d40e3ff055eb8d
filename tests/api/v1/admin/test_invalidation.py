"""`POST /v1/admin/cache/invalidations`: a bump like any other, written down."""

import json

import pytest

from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import outcome

PATH = "/v1/admin/cache/invalidations"


async def test_one_topic_of_one_clinic_leaves_the_others(sign_in: SignIn, seed: Seed) -> None:
    superuser, sant, maga = [await sign_in(name) for name in (seed.superuser, seed.sant.viewer, seed.maga.viewer)]
    for user in (sant, maga):
        await user.get("/v1/doctors")
        assert outcome(await user.get("/v1/doctors")) == "hit"
    answer = await superuser.post(PATH, json={"clinic_id": seed.sant.id, "topic": "catalogs"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-version"].startswith(f"{seed.sant.id}/catalogs=")
    assert outcome(await sant.get("/v1/doctors")) == "fwd=miss"
    assert outcome(await maga.get("/v1/doctors")) == "hit"


async def test_a_clinic_as_a_whole_tells_its_own_versions_only(sign_in: SignIn, seed: Seed) -> None:
    superuser, maga = await sign_in(seed.superuser), await sign_in(seed.maga.viewer)
    await maga.get("/v1/doctors")
    answer = await superuser.post(PATH, json={"clinic_id": seed.sant.id})
    versions = answer.headers["cache-version"].split(", ")
    assert len(versions) == 5
    assert all(version.startswith(f"{seed.sant.id}/") for version in versions)
    assert outcome(await maga.get("/v1/doctors")) == "hit"


async def test_everything_ends_every_entry_and_no_session(sign_in: SignIn, seed: Seed) -> None:
    superuser, sant, maga = [await sign_in(name) for name in (seed.superuser, seed.sant.viewer, seed.maga.viewer)]
    for user in (superuser, sant, maga):
        await user.get("/v1/clinics")
    answer = await superuser.post(PATH, json={})
    assert answer.status_code == 204
    assert len(answer.headers["cache-version"].split(", ")) == 15  # five topics of two clinics and of the network
    for user in (superuser, sant, maga):
        assert outcome(await user.get("/v1/clinics")) == "fwd=miss"
        assert outcome(await user.get("/v1/clinics")) == "hit"


async def test_it_is_written_to_the_audit(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    superuser = await sign_in(seed.superuser)
    await superuser.post(PATH, json={"clinic_id": seed.sant.id, "topic": "figures"})
    await superuser.post(PATH, json={"topic": "catalogs"})
    found = await connection.fetch(
        "SELECT username, clinic_id, target_type, target_id, changes FROM action_audit"
        " WHERE action = 'cache.invalidated' ORDER BY id"
    )
    assert [(row["clinic_id"], row["target_id"]) for row in found] == [
        (seed.sant.id, f"{seed.sant.id}/figures"),
        (None, "*/catalogs"),
    ]
    assert {(row["username"], row["target_type"], row["changes"]) for row in found} == {
        (seed.superuser, "cache", json.dumps({}))
    }


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"clinic_id": 999}, "clinic_id", "unknown_reference"),
        ({"clinic_id": 0}, "clinic_id", "greater_than_equal"),
        ({"clinic_id": True}, "clinic_id", "invalid"),
        ({"clinic_id": "5"}, "clinic_id", "invalid"),
        ({"topic": "beds"}, "topic", "literal_error"),
        ({"clinic": 1}, "clinic", "unknown_field"),
    ],
)
async def test_what_does_not_exist_is_refused(
    sign_in: SignIn, seed: Seed, connection: rows.Connection, body: dict[str, object], path: str, code: str
) -> None:
    superuser = await sign_in(seed.superuser)
    before = await connection.fetch("SELECT * FROM cache_version ORDER BY clinic_id, topic")
    answer = await superuser.post(PATH, json=body)
    assert answer.status_code == 422
    assert [(error["path"], error["code"]) for error in answer.json()["errors"]] == [(path, code)]
    assert await connection.fetch("SELECT * FROM cache_version ORDER BY clinic_id, topic") == before


async def test_an_idempotent_repetition_bumps_once(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    superuser = await sign_in(seed.superuser)
    for replayed in (None, "true"):
        answer = await superuser.post(PATH, json={"topic": "figures"}, headers={"Idempotency-Key": "again"})
        assert answer.status_code == 204
        assert answer.headers.get("idempotency-replayed") == replayed
    assert await connection.fetchval("SELECT count(*) FROM action_audit WHERE action = 'cache.invalidated'") == 1
