"""Urgency thresholds: a clinic's own and the global ones, set, given up, and at once in what depends on them."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
import pytest

from core.clock import zone
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes, outcome
from tests.support.audit import last_audit

PATH = "/v1/urgency-thresholds"
NEW = {"red_hours": 1, "yellow_hours": 3, "green_hours": 6}
GLOBAL = {"red_hours": 2, "yellow_hours": 4, "green_hours": 8}


async def held(client: httpx.AsyncClient) -> dict[str, Any]:
    """Those that hold in the client's clinic; a superuser's first item is the global ones."""
    found: dict[str, Any] = (await client.get(PATH)).json()["items"][0]
    return found


def hours(thresholds: dict[str, Any]) -> dict[str, Any]:
    """Without who set them, and when."""
    return {name: value for name, value in thresholds.items() if not name.startswith("updated_")}


async def test_an_admin_sets_and_gives_up_those_of_its_clinic(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    admin, viewer, other = [await sign_in(name) for name in (seed.sant.admin, seed.sant.viewer, seed.maga.viewer)]
    own, general = (
        {"clinic_id": seed.sant.id, "inherited": False} | NEW,
        {"clinic_id": seed.sant.id, "inherited": True} | GLOBAL,
    )
    assert hours(await held(viewer)) == general
    await held(other)
    answer = await admin.put(PATH, json=NEW)
    assert (answer.status_code, hours(answer.json())) == (200, own)
    assert f"{seed.sant.id}/catalogs=" in answer.headers["cache-version"]
    assert hours(await held(viewer)) == own
    assert outcome(await other.get(PATH)) == "hit"
    audit = await last_audit(connection)
    assert (audit["action"], audit["target_id"], audit["clinic_id"]) == (
        "thresholds.changed",
        str(seed.sant.id),
        seed.sant.id,
    )
    assert audit["changes"]["red_hours"] == [None, 1]

    await admin.put(PATH, json=NEW | {"clinic_id": seed.sant.id, "green_hours": 7})
    assert (await last_audit(connection))["changes"] == {"green_hours": [6, 7]}
    answer = await admin.delete(PATH)
    assert (answer.status_code, hours(answer.json())) == (200, general)
    assert hours(await held(viewer)) == general
    audit = await last_audit(connection)
    assert (audit["action"], audit["changes"]["red_hours"]) == ("thresholds.removed", [1, None])


async def test_giving_up_what_one_does_not_have_changes_nothing(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    admin = await sign_in(seed.sant.admin)
    count = await connection.fetchval("SELECT count(*) FROM action_audit")
    answer = await admin.delete(PATH, params={"clinic_id": seed.sant.id})
    assert (answer.status_code, answer.json()["inherited"]) == (200, True)
    assert "cache-version" not in answer.headers
    await admin.put(PATH, json=NEW)
    again = await admin.put(PATH, json=NEW)
    assert "cache-version" not in again.headers
    assert await connection.fetchval("SELECT count(*) FROM action_audit") == count + 1


async def test_a_superuser_sets_any_clinics_and_the_global_ones(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    superuser, viewer, other = [await sign_in(name) for name in (seed.superuser, seed.sant.viewer, seed.maga.viewer)]
    answer = await superuser.put(PATH, json={"clinic_id": seed.sant.id} | NEW)
    assert answer.json()["clinic_id"] == seed.sant.id
    wide = {"red_hours": 10, "yellow_hours": 20, "green_hours": 30}
    answer = await superuser.put(PATH, json={"clinic_id": None} | wide)
    assert (answer.status_code, hours(answer.json())) == (200, {"clinic_id": None, "inherited": False} | wide)
    audit = await last_audit(connection)
    assert (audit["target_id"], audit["clinic_id"], audit["changes"]["red_hours"]) == ("global", None, [2, 10])
    assert (await held(superuser))["red_hours"] == 10
    assert (await held(viewer))["red_hours"] == 1
    assert hours(await held(other)) == {"clinic_id": seed.maga.id, "inherited": True} | wide
    assert (await superuser.delete(PATH, params={"clinic_id": seed.sant.id})).json()["red_hours"] == 10
    assert (await held(viewer))["red_hours"] == 10


async def test_the_global_ones_are_always_there(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    refused = await superuser.delete(PATH)
    assert (refused.status_code, refused.json()["code"]) == (409, "global_thresholds")
    await connection.execute("DELETE FROM urgency_threshold")
    made = await superuser.put(PATH, json={"clinic_id": None} | NEW)
    assert made.status_code == 200
    assert await connection.fetchval("SELECT red_hours FROM urgency_threshold WHERE clinic_id IS NULL") == 1


async def test_whose_they_are_is_said_by_a_superuser_and_never_foreign_for_an_admin(
    sign_in: SignIn, seed: Seed
) -> None:
    superuser, admin = await sign_in(seed.superuser), await sign_in(seed.sant.admin)
    assert codes(await superuser.put(PATH, json=NEW)) == [("clinic_id", "required")]
    assert codes(await superuser.put(PATH, json={"clinic_id": 999_999} | NEW)) == [("clinic_id", "unknown_reference")]
    assert (await superuser.delete(PATH, params={"clinic_id": 999_999})).status_code == 404
    for clinic_id in (seed.maga.id, 999_999):
        assert (await admin.put(PATH, json={"clinic_id": clinic_id} | NEW)).status_code == 404
        assert (await admin.delete(PATH, params={"clinic_id": clinic_id})).status_code == 404
    assert (await admin.put(PATH, json={"clinic_id": None} | NEW)).status_code == 403
    for name in (seed.sant.viewer, seed.sant.clinical):
        user = await sign_in(name)
        assert (await user.put(PATH, json=NEW)).status_code == 403
        assert (await user.delete(PATH)).status_code == 403


@pytest.mark.parametrize(
    ("hours", "refused"),
    [
        ((0, 4, 8), ["red_hours"]),
        ((2, 4, 73), ["green_hours"]),
        ((4, 4, 8), ["yellow_hours"]),
        ((2, 8, 8), ["green_hours"]),
        ((8, 4, 2), ["yellow_hours", "green_hours"]),
        ((2, 4, None), ["green_hours"]),
        ((2, "4", 8), ["yellow_hours"]),
    ],
)
async def test_red_below_yellow_below_green_within_1_and_72(
    sign_in: SignIn, seed: Seed, hours: tuple[Any, Any, Any], refused: list[str]
) -> None:
    admin = await sign_in(seed.sant.admin)
    body = dict(zip(("red_hours", "yellow_hours", "green_hours"), hours, strict=True))
    assert [path for path, _ in codes(await admin.put(PATH, json=body))] == refused
    assert (await admin.put(PATH, json={"red_hours": 1, "yellow_hours": 2, "green_hours": 72})).status_code == 200


async def test_two_who_set_them_at_once_leave_one_row(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    answers = await asyncio.gather(*(admin.put(PATH, json=NEW | {"green_hours": 10 + n}) for n in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    kept = await connection.fetch("SELECT green_hours FROM urgency_threshold WHERE clinic_id = $1", seed.sant.id)
    assert len(kept) == 1
    assert await connection.fetchval("SELECT count(*) FROM action_audit WHERE action = 'thresholds.changed'") == 8


async def test_a_tickets_state_follows_at_once(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    ticket = await seed.sant.ticket(connection)
    assert (await admin.get(f"/v1/tickets/{ticket}")).json()["state"] == "normal"
    await admin.put(PATH, json={"red_hours": 24, "yellow_hours": 48, "green_hours": 72})
    assert (await admin.get(f"/v1/tickets/{ticket}")).json()["state"] == "critical"


async def test_thresholds_tell_who_set_them_and_when(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    admin, viewer, superuser = [await sign_in(name) for name in (seed.sant.admin, seed.sant.viewer, seed.superuser)]
    before = await connection.fetchval("SELECT clock_timestamp()")
    made = (await admin.put(PATH, json=NEW)).json()
    assert made["updated_by"] == seed.sant.admin
    at = datetime.fromisoformat(made["updated_at"])
    assert at.utcoffset() == at.astimezone(zone("America/Santiago")).utcoffset()
    assert at >= before.replace(microsecond=0)
    assert await held(viewer) == made
    # What changes nothing is nobody's change.
    assert (await superuser.put(PATH, json=NEW | {"clinic_id": seed.sant.id})).json() == made
    general = (await superuser.put(PATH, json=GLOBAL | {"clinic_id": None, "red_hours": 1})).json()
    assert general["updated_by"] == "superuser"
    assert (await held(superuser)) == general
    given_up = (await admin.delete(PATH)).json()
    assert given_up == general | {"clinic_id": seed.sant.id, "inherited": True}


async def test_the_release_before_this_one_sets_them_without_a_name_and_nobody_elses_is_told(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    admin = await sign_in(seed.sant.admin)
    await admin.put(PATH, json=NEW)
    who_and_when = "SELECT updated_at, updated_by FROM urgency_threshold WHERE clinic_id = $1"
    before = await rows.one(connection, who_and_when, seed.sant.id)
    await connection.execute("UPDATE urgency_threshold SET red_hours = red_hours WHERE clinic_id = $1", seed.sant.id)
    assert await rows.one(connection, who_and_when, seed.sant.id) == before
    await connection.execute("UPDATE urgency_threshold SET green_hours = 9 WHERE clinic_id = $1", seed.sant.id)
    after = await rows.one(connection, who_and_when, seed.sant.id)
    assert after["updated_by"] is None
    assert after["updated_at"] > before["updated_at"]
