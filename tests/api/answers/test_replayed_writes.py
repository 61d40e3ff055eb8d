"""A repeated POST with its Idempotency-Key: the first answer again, and with it the versions that its write made."""

import httpx
import pytest

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed

KEY = {"Idempotency-Key": "a-key"}


def versions(answer: httpx.Response) -> dict[str, int]:
    """`5/tickets` → its version, of the answer's Cache-Version."""
    words = [word.strip().rpartition(".")[0] for word in answer.headers["cache-version"].split(",")]
    return {name: int(version) for name, _, version in (word.partition("=") for word in words)}


def specialty(seed: Seed) -> dict[str, object]:
    return {"clinic_id": seed.sant.id, "name": "Nueva"}


async def test_a_replayed_answer_tells_the_versions_of_its_write(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    first, again = [await superuser.post("/v1/specialties", json=specialty(seed), headers=KEY) for _ in range(2)]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.content) == (201, first.content)
    assert versions(again) == versions(first)
    assert set(versions(first)) == {f"{seed.sant.id}/catalogs"}


async def test_where_others_wrote_meanwhile_they_are_newer(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    superuser = await sign_in(seed.superuser)
    first = await superuser.post("/v1/specialties", json=specialty(seed), headers=KEY)
    await connection.execute("UPDATE surgery SET name = 'Otra' WHERE clinic_id = $1", seed.sant.id)
    again = await superuser.post("/v1/specialties", json=specialty(seed), headers=KEY)
    [name] = versions(first)
    assert versions(again)[name] > versions(first)[name]


async def test_an_invalidation_of_everything_tells_everything_again(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    first, again = [
        await superuser.post("/v1/admin/cache/invalidations", json={"topic": "figures"}, headers=KEY) for _ in range(2)
    ]
    assert again.headers["idempotency-replayed"] == "true"
    assert set(versions(first)) == {f"{clinic}/figures" for clinic in (0, seed.sant.id, seed.maga.id)}
    assert versions(again) == versions(first)


@pytest.mark.parametrize("by", ["Cache-Version", "the same process"])
async def test_who_wrote_reads_its_write_by_what_the_repetition_tells(
    settings: Settings, sign_in: SignIn, seed: Seed, by: str
) -> None:
    """The first answer was lost, and the repetition reaches another process, which has not heard of the write."""
    deaf = settings.model_copy(update={"cache_push": False})
    async with running(deaf) as (other, _):
        there = await sign_in(seed.superuser, on=other)
        await there.get("/v1/specialties")
        here = await sign_in(seed.superuser)
        await here.post("/v1/specialties", json=specialty(seed), headers=KEY)
        again = await there.post("/v1/specialties", json=specialty(seed), headers=KEY)
        required = {"Cache-Version": again.headers["cache-version"]} if by == "Cache-Version" else {}
        read = await there.get("/v1/specialties", headers=required)
        assert again.json()["id"] in [item["id"] for item in read.json()["items"]]


async def test_who_moved_clinic_is_told_nothing_of_the_one_they_left(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    ticket = await seed.sant.ticket(connection)
    path, body, key = f"/v1/tickets/{ticket}/annulment", {"reason_id": seed.sant.annulment_reason_id}, "a-key"
    nurse, superuser = await sign_in(seed.sant.clinical), await sign_in(seed.superuser)
    headers = {"If-Match": '"1"', "Idempotency-Key": key}
    for _ in range(2):
        assert (await nurse.post(path, json=body, headers=headers)).status_code == 200
    user_id = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", seed.sant.clinical)
    moved = await superuser.patch(f"/v1/users/{user_id}", json={"clinic_id": seed.maga.id})
    assert moved.status_code == 200, moved.text
    answer = await (await sign_in(seed.sant.clinical)).post(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "idempotency-replayed" not in answer.headers
