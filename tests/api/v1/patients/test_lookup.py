"""POST /v1/patients/lookup: who has a document, before a ticket is made."""

from typing import Any

import pytest

from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes, refusal
from tests.support.audit import audits
from tests.support.days import lately

LOOKUP = "/v1/patients/lookup"
ANA: dict[str, Any] = {"document_type": "rut", "document": "12.345.678-5", "first_name": "Ana", "last_name": "Rojas"}
HERS = {"document_type": "rut", "document": "012345678-5"}


@pytest.fixture
async def ticket(sign_in: SignIn, seed: Seed) -> dict[str, Any]:
    body = {"patient": ANA, "surgery_id": seed.sant.surgery_id, "surgery_at": lately()}
    answer = await (await sign_in(seed.sant.clinical)).post("/v1/tickets", json=body)
    made: dict[str, Any] = answer.json()
    return made


async def test_who_is_on_file_is_told_with_their_active_tickets_and_recorded(
    sign_in: SignIn, seed: Seed, connection: rows.Connection, ticket: dict[str, Any]
) -> None:
    nurse, superuser = await sign_in(seed.sant.clinical), await sign_in(seed.superuser)
    answer = await nurse.post(LOOKUP, json=HERS)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    on_file = {name: value for name, value in ticket["patient"].items() if name != "verified"} | {"revision": 1}
    found = {"patient": on_file, "active_tickets": [ticket["id"]], "verified": True}
    assert answer.json() == found
    assert (await superuser.post(LOOKUP, json=HERS | {"clinic_id": seed.sant.id})).json() == found
    # What it shows answers `patient_mismatch`.
    same = {"same_person": {"id": on_file["id"], "revision": on_file["revision"]}}
    body = {"surgery_id": seed.sant.surgery_id, "surgery_at": lately(), "second_stay": ticket["id"]}
    juana = await nurse.post("/v1/tickets", json=body | {"patient": ANA | {"first_name": "Juana"} | same})
    assert juana.status_code == 201, juana.text
    answer = await nurse.post(LOOKUP, json=HERS)
    assert answer.json()["active_tickets"] == [juana.json()["id"], ticket["id"]]
    assert answer.json()["patient"]["first_name"] == "Juana"

    nobodys = await nurse.post(LOOKUP, json={"document_type": "other", "document": "RN"})
    assert nobodys.json() == {"patient": None, "active_tickets": [], "verified": False}
    unknown = await nurse.post(LOOKUP, json={"document_type": "passport", "document": "x-1 2"})
    assert unknown.json() == {"patient": None, "active_tickets": [], "verified": True}
    recorded = await audits(connection, "patient.looked_up")
    clinic, hers = ("clinic", str(seed.sant.id)), ("patient", str(on_file["id"]))
    assert [(one["target_type"], one["target_id"]) for one in recorded] == [hers, hers, hers, clinic, clinic]
    assert recorded[-1]["changes"] == {"document_type": [None, "passport"], "document": [None, "X12"]}
    assert {one["clinic_id"] for one in recorded} == {seed.sant.id}
    history = (await nurse.get(f"/v1/tickets/{ticket['id']}")).json()["history"]
    assert "patient.looked_up" not in [one["action"] for one in history]


async def test_another_clinics_patient_is_nobody_and_a_mistyped_rut_is_refused(
    sign_in: SignIn, seed: Seed, ticket: dict[str, Any]
) -> None:
    nurse, foreign, superuser = [await sign_in(n) for n in (seed.sant.clinical, seed.maga.clinical, seed.superuser)]
    assert (await foreign.post(LOOKUP, json=HERS)).json()["patient"] is None
    assert refusal(await foreign.post(LOOKUP, json=HERS | {"clinic_id": seed.sant.id})) == (404, "not_found")
    assert codes(await nurse.post(LOOKUP, json=HERS | {"document": "12345678-4"})) == [("document", "invalid_rut")]
    assert codes(await superuser.post(LOOKUP, json=HERS)) == [("clinic_id", "required")]
    nowhere = await superuser.post(LOOKUP, json=HERS | {"clinic_id": 2**31 - 1})
    assert codes(nowhere) == [("clinic_id", "unknown_reference")]
    assert refusal(await (await sign_in(seed.sant.viewer)).post(LOOKUP, json=HERS)) == (403, "forbidden")


async def test_a_user_looks_sixty_times_an_hour(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    nurse = await sign_in(seed.sant.clinical)
    asked = [await nurse.post(LOOKUP, json=HERS) for _ in range(61)]
    assert {answer.status_code for answer in asked[:60]} == {200}
    assert refusal(asked[60]) == (429, "too_many_attempts")
    assert 0 < int(asked[60].headers["retry-after"]) <= 3600
    assert len(await audits(connection, "patient.looked_up")) == 60
    # Others are not made to wait.
    assert (await (await sign_in(seed.sant.admin)).post(LOOKUP, json=HERS)).status_code == 200
