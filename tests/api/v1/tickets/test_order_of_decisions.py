"""401, 403, 404, 422, 428, 412, 409: of several reasons to refuse, the first of these is told."""

from typing import Any

import pytest

from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.days import calm_day

UNKNOWN = "TH-SANT-2025-999"
NAMES = {"first_name": "Eva", "last_name": "Soto"}
# Method, verb, and a body where it needs nothing of the ticket.
WRITES = [
    ("PATCH", "", {"bed_number": "1"}),
    ("PUT", "", None),
    ("POST", "fpa-modifications", None),
    ("POST", "discharge", {}),
    ("DELETE", "discharge", None),
    ("POST", "ready", {}),
    ("DELETE", "ready", None),
    ("POST", "delays", None),
    ("POST", "annulment", None),
    ("POST", "restoration", None),
    ("POST", "reassignment", {"patient": {"document_type": "passport", "document": "X1", **NAMES}}),
]
BODIES = [write for write in WRITES if write[1] not in ("restoration",) and write[0] != "DELETE"]


def path_of(ticket_id: str, verb: str) -> str:
    return f"/v1/tickets/{ticket_id}" + (f"/{verb}" if verb else "")


def body_of(ward: Any, ticket: dict[str, Any], method: str, verb: str, body: Any) -> Any:
    if method == "PUT":
        patient = {name: value for name, value in ticket["patient"].items() if name not in ("id", "verified")}
        return {"patient": patient, "surgery_id": ticket["surgery"]["id"]}
    if verb == "fpa-modifications":
        return ward.modification(ticket)
    if verb == "annulment":
        return {"reason_id": ward.clinic.annulment_reason_id}
    if verb == "delays":
        return {"reason_id": ward.clinic.delay_reason_id}
    return body


@pytest.mark.parametrize(("method", "verb", "body"), WRITES)
async def test_401_then_403_then_404(
    admin: Any,
    foreign_admin: Any,
    client: Any,
    sign_in: Any,
    seed: Seed,
    refusal: Any,
    method: str,
    verb: str,
    body: Any,
) -> None:
    ticket = await admin.create()
    right = body_of(admin, ticket, method, verb, body)
    path = path_of(ticket["id"], verb)
    bad = {"colour": "red"}
    assert refusal(await client.request(method, path, json=bad))[:2] == (401, "not_authenticated")
    viewer = await sign_in(seed.sant.viewer)
    for missing in (path, path_of(UNKNOWN, verb)):
        assert refusal(await viewer.request(method, missing, json=bad))[:2] == (403, "forbidden")
    # Not there, or another clinic's: neither the body nor the revision is looked at.
    for ward, missing in ((admin, path_of(UNKNOWN, verb)), (foreign_admin, path), (admin, path_of("nonsense", verb))):
        for sent in (right, bad):
            assert refusal(await ward.client.request(method, missing, json=sent))[:2] == (404, "not_found")
        assert refusal(await ward.client.request(method, missing, content=b"{"))[0] in (400, 404)
        assert refusal(await ward.client.request(method, f"{missing}?colour=red", json=right))[:2] == (404, "not_found")


@pytest.mark.parametrize(("method", "verb", "body"), BODIES)
async def test_422_then_428_then_412_then_409(admin: Any, refusal: Any, method: str, verb: str, body: Any) -> None:
    stale = await admin.create()
    ticket = await admin.annul(stale)
    right = body_of(admin, stale, method, verb, body)
    wrong = {**(right or {}), "colour": "red"}
    path = path_of(ticket["id"], verb)
    assert refusal(await admin.client.request(method, path, json=wrong))[:2] == (422, "invalid")
    assert refusal(await admin.client.request(method, path, json=right))[:2] == (428, "revision_required")
    for etag in ('"1"', '"99"', 'W/"2"', "nonsense", "2"):
        answer = await admin.client.request(method, path, json=right, headers={"If-Match": etag})
        assert refusal(answer)[:2] == (412, "revision_mismatch")
        assert answer.json()["current"] == ticket
    assert refusal(await admin.send(method, ticket, verb, right))[:2] == (409, "ticket_not_active")


@pytest.mark.parametrize(("verb", "method"), [("restoration", "POST"), ("discharge", "DELETE"), ("ready", "DELETE")])
async def test_428_then_412_then_409_without_a_body(admin: Any, refusal: Any, method: str, verb: str) -> None:
    ticket = await admin.create()
    path = path_of(ticket["id"], verb)
    assert refusal(await admin.client.request(method, path))[:2] == (428, "revision_required")
    old = await admin.client.request(method, path, headers={"If-Match": '"7"'})
    assert refusal(old)[:2] == (412, "revision_mismatch")
    assert refusal(await admin.send(method, ticket, verb))[0] == 409


async def test_a_reference_is_refused_before_the_revision_is_asked_for(admin: Any, seed: Seed, refusal: Any) -> None:
    ticket = await admin.create()
    for verb, foreign in (("annulment", seed.maga.annulment_reason_id), ("delays", seed.maga.delay_reason_id)):
        answer = await admin.client.post(path_of(ticket["id"], verb), json={"reason_id": foreign})
        assert refusal(answer) == (422, "invalid", [("reason_id", "unknown_reference")])


async def test_reading(admin: Any, foreign_admin: Any, client: Any, sign_in: Any, seed: Seed, refusal: Any) -> None:
    ticket = await admin.create()
    path = path_of(ticket["id"], "")
    assert refusal(await client.get(path))[:2] == (401, "not_authenticated")
    assert refusal(await foreign_admin.client.get(path))[:2] == (404, "not_found")
    assert refusal(await foreign_admin.client.get(f"{path}?colour=red"))[:2] == (404, "not_found")
    assert refusal(await admin.client.get(f"{path}?colour=red"))[:2] == (422, "invalid")
    for missing in (UNKNOWN, "nonsense", "TH-SANT-2025-001%00", "%ff", "x" * 5000):
        assert refusal(await admin.client.get(f"/v1/tickets/{missing}"))[:2] == (404, "not_found")
    for reader in (await sign_in(seed.sant.viewer), await sign_in(seed.superuser)):
        answer = await reader.get(path)
        assert (answer.status_code, answer.json()["patient"]) == (200, ticket["patient"])


async def test_a_superuser_writes_on_any_ticket_and_its_clinic_audits_it(
    nurse: Any, superuser: Any, connection: Any, seed: Seed
) -> None:
    after = await superuser.modify(await nurse.create())
    audited = await connection.fetchrow("SELECT * FROM action_audit WHERE action = 'ticket.fpa_modified'")
    assert (audited["clinic_id"], audited["username"]) == (seed.sant.id, "superuser")
    assert audited["request_id"] is not None
    assert after["modifications"][0]["by"] == "superuser"


async def test_of_several_conflicts_of_a_modification_the_first_is_told(
    nurse: Any, refusal: Any, connection: rows.Connection
) -> None:
    """Not active, the limit, before the admission, unchanged."""
    day = calm_day(-10)
    ticket = await nurse.create(surgery_at=day.at("14:30"), state="overdue")
    # What is both before the admission and the FPA as it is: only an import leaves it so.
    await connection.execute(
        f"UPDATE ticket SET imported = true, current_fpa = '{day.shown('03:00')}' WHERE id = $1", ticket["id"]
    )
    ticket = await nurse.get(ticket["id"])
    body = nurse.modification(ticket, hours=0)

    async def refused(of: dict[str, Any]) -> tuple[int, str]:
        found: tuple[int, str] = refusal(await nurse.send("POST", of, "fpa-modifications", body))[:2]
        return found

    assert await refused(ticket) == (409, "fpa_before_admission")
    for _ in range(5):
        await rows.modification(connection, nurse.clinic.id, ticket["id"])
    assert await refused(ticket) == (409, "modification_limit")
    assert await refused(await nurse.annul(ticket)) == (409, "ticket_not_active")


async def test_of_several_conflicts_of_an_edit_the_first_is_told(
    nurse: Any, admin: Any, refusal: Any, seed: Seed, connection: rows.Connection
) -> None:
    """Not active, another patient's document."""
    other = {"document_type": "passport", "document": "X1234567", "first_name": "Eva", "last_name": "Soto"}
    await nurse.create(patient=other)
    body = {"patient": other, "surgery_id": seed.sant.surgery_id}
    ticket = await nurse.create()
    assert refusal(await admin.send("PUT", ticket, "", body))[:2] == (409, "duplicate")
    assert refusal(await admin.send("PUT", await nurse.annul(ticket), "", body))[:2] == (409, "ticket_not_active")
