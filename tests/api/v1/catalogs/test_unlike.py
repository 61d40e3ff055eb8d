"""There is one of each name, however it is spelled: case, accents, apostrophes and spaces make no other one of it."""

import asyncio
from typing import Any

import httpx
import pytest

from core.operations.doctor.finding import Verdict
from core.operations.doctor.tables.twins import look_at_catalogs
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import refusal

NAME = "Cirugía d'Ávila"
SPELLINGS = (
    *("Cirugía d'Ávila", "cirugia d'avila", "CIRUGÍA D’ÁVILA", "Cirugi\u0301a  d´Avila", "\u200bCirugía d`Ávila\u00ad"),
)
PATHS = ("/v1/clinics", "/v1/specialties", "/v1/surgeries", "/v1/reasons")


@pytest.fixture
async def superuser(sign_in: SignIn, seed: Seed) -> httpx.AsyncClient:
    return await sign_in(seed.superuser)


def body(path: str, seed: Seed, name: str) -> dict[str, Any]:
    own: dict[str, dict[str, Any]] = {
        "/v1/surgeries": {"specialty_id": seed.sant.specialty_id, "base_stay_hours": 24},
        "/v1/reasons": {"category": "annulment"},
    }
    more = own.get(path, {})
    if path != "/v1/clinics":
        more["clinic_id"] = seed.sant.id
    return {"reason" if path == "/v1/reasons" else "name": name, **more}


@pytest.mark.parametrize("path", PATHS)
async def test_a_name_in_another_spelling_is_a_duplicate(superuser: httpx.AsyncClient, seed: Seed, path: str) -> None:
    made = await superuser.post(path, json=body(path, seed, NAME))
    assert made.status_code == 201, made.text
    other = (await superuser.post(path, json=body(path, seed, "Otra"))).json()["id"]
    named = "reason" if path == "/v1/reasons" else "name"
    for spelling in SPELLINGS:
        assert refusal(await superuser.post(path, json=body(path, seed, spelling))) == (409, "duplicate"), spelling
        changed = await superuser.patch(f"{path}/{other}", json={named: spelling})
        assert refusal(changed) == (409, "duplicate"), spelling
        # Its own name may be spelled otherwise.
        own = await superuser.patch(f"{path}/{made.json()['id']}", json={named: spelling})
        assert own.status_code == 200, own.text


@pytest.mark.parametrize("path", PATHS)
async def test_of_two_spellings_at_once_one_is_made(superuser: httpx.AsyncClient, seed: Seed, path: str) -> None:
    answers = await asyncio.gather(*(superuser.post(path, json=body(path, seed, name)) for name in SPELLINGS[:3]))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_of_another_category_or_clinic_it_is_another_one(superuser: httpx.AsyncClient, seed: Seed) -> None:
    reason = body("/v1/reasons", seed, NAME)
    assert (await superuser.post("/v1/reasons", json=reason)).status_code == 201
    changed = reason | {"category": "modification", "reason": "CIRUGIA D'AVILA"}
    made = await superuser.post("/v1/reasons", json=changed)
    assert made.status_code == 201
    moved = await superuser.patch(f"/v1/reasons/{made.json()['id']}", json={"category": "annulment"})
    assert refusal(moved) == (409, "duplicate")
    assert (await superuser.post("/v1/reasons", json=reason | {"clinic_id": seed.maga.id})).status_code == 201


async def test_rows_that_were_alike_before_stay_and_the_doctor_lists_them(
    superuser: httpx.AsyncClient, seed: Seed, connection: rows.Connection
) -> None:
    first, second = [await rows.specialty(connection, seed.sant.id, name=name) for name in ("Cirugía", "Cirugia")]
    found = await look_at_catalogs(connection)
    assert (found.verdict, f"SANT specialty {first}, {second}" in found.seen) == (Verdict.WARNING, True)
    assert (await superuser.patch(f"/v1/specialties/{second}", json={"name": "Cirugía vieja"})).status_code == 200
    assert (await look_at_catalogs(connection)).verdict is Verdict.OK
    back = await superuser.patch(f"/v1/specialties/{second}", json={"name": "CIRUGIA"})
    assert refusal(back) == (409, "duplicate")
    off = await superuser.patch(f"/v1/specialties/{second}", json={"is_active": False})
    assert off.status_code == 200, off.text
