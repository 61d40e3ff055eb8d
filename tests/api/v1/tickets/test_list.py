"""GET /v1/tickets: scopes, refusals, filters by their names, pages while others work."""

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.factories import rows
from tests.factories.fixtures import Seed

PATH = "/v1/tickets"
Json = dict[str, Any]


async def listed(ward: Any, **parameters: Any) -> list[str]:
    answer = await ward.client.get(PATH, params=parameters)
    assert answer.status_code == 200, answer.text
    return [ticket["id"] for ticket in answer.json()["items"]]


def other(document: str, last_name: str = "Núñez") -> Json:
    return {"patient": {"document_type": "passport", "document": document, "first_name": "Eva", "last_name": last_name}}


async def test_newest_first_without_history_and_stored_nowhere(nurse: Any) -> None:
    first, second = await nurse.create(), await nurse.create(**other("P-1"))
    answer = await nurse.client.get(PATH)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    assert 'db;desc="1 query"' in answer.headers["Server-Timing"]
    assert set(answer.json()) == {"items", "next", "total", "total_more"}
    assert answer.json()["next"] is None
    items = answer.json()["items"]
    assert [item["id"] for item in items] == [second["id"], first["id"]]
    expected = {name: value for name, value in second.items() if name not in ("history", "warnings", "seconds_left")}
    assert {name: value for name, value in items[0].items() if name != "seconds_left"} == expected


async def test_filters_by_their_names(nurse: Any, admin: Any, seed: Seed, connection: rows.Connection) -> None:
    normal, overdue = await nurse.create(), await nurse.create("overdue", **other("P-1", "Ávila"))
    annulled = await nurse.annul(await nurse.create(**other("P-2")))
    discharged = await admin.discharge(await admin.create(**other("P-3")))
    surgery = await rows.surgery(connection, seed.sant.id, seed.sant.specialty_id)
    operated = await admin.create(**other("P-4"), surgery_id=surgery, doctor_id=seed.sant.doctor_id)
    day = operated["created_at"][:10]
    because = {"reason_id": seed.sant.delay_reason_id}
    for late in (overdue, await nurse.create("overdue", **other("P-5"))):
        delayed = await nurse.done("POST", late, "delays", because)
        await connection.execute("UPDATE delay SET set_at = set_at - interval '2 minutes'")
    left = await nurse.discharge(delayed)
    for parameters, expected in (
        ({"status": "active"}, [operated, overdue, normal]),
        ({"status": "annulled"}, [annulled]),
        ({"status": "discharged"}, [left, discharged]),
        ({"state": "overdue"}, [overdue]),
        ({"state": "normal"}, [operated, normal]),
        ({"state": "annulled"}, [annulled]),
        ({"state": "overdue", "status": "annulled"}, []),
        ({"q": "avila"}, [overdue]),
        ({"q": "12.345.678"}, [normal]),
        ({"surgery_id": surgery}, [operated]),
        ({"doctor_id": seed.sant.doctor_id}, [operated]),
        ({"doctor_id": seed.sant.doctor_id, "figure": "overdue"}, []),
        ({"created_by_me": "true"}, [left, annulled, overdue, normal]),
        ({"created_by_me": "false", "status": "discharged"}, [left, discharged]),
        ({"date_from": day, "date_to": day, "status": "annulled"}, [annulled]),
        ({"date_to": "2020-01-01"}, []),
        ({"figure": "overdue"}, [overdue]),
        ({"figure": "created_today", "date_to": "2020-01-01"}, []),
        ({"figure": "discharged_today", "surgery_id": seed.sant.surgery_id}, [left, discharged]),
        ({"figure": "on_time_rate", "q": "núñez"}, [left, discharged]),
        ({"figure": "hour", "at": normal["current_fpa"], "status": "active"}, [operated, normal]),
        ({"figure": "delays"} | because, [overdue]),
        ({"figure": "delays", "reason_id": seed.sant.modification_reason_id}, []),
        ({"figure": "hours_lost"} | because, [left]),
        ({"sort": "current_fpa", "status": "active", "limit": 1}, [overdue]),
        ({"sort": "patient", "limit": 1}, [overdue]),
    ):
        assert await listed(nurse, **parameters) == [one["id"] for one in expected], parameters


async def test_what_is_refused(nurse: Any, refusal: Any) -> None:
    cases: list[tuple[Json, str, str]] = [
        ({"limit": 201}, "limit", "less_than_equal"),
        ({"limit": 0}, "limit", "greater_than_equal"),
        ({"status": "gone"}, "status", "enum"),
        ({"state": "gone"}, "state", "enum"),
        ({"sort": "urgency"}, "sort", "literal_error"),
        ({"created_by_me": "perhaps"}, "created_by_me", "bool_parsing"),
        ({"view": "all"}, "view", "unknown_field"),
        ({"date_from": "2026-02-02", "date_to": "2026-02-01"}, "date_to", "before_date_from"),
        ({"date_from": "1979-12-31"}, "date_from", "out_of_range"),
        ({"cursor": "x"}, "cursor", "invalid"),
        ({"q": "\x00"}, "q", "invalid"),
        ({"figure": "by_hour"}, "figure", "enum"),
        ({"figure": "hour"}, "at", "required"),
        ({"figure": "active", "at": "2026-02-02T10:00:00Z"}, "at", "not_expected"),
        ({"figure": "hour", "at": "2026-02-02T10:00"}, "at", "timezone_aware"),
        ({"figure": "hour", "at": "now"}, "at", "invalid"),
        ({"figure": "active", "reason_id": nurse.clinic.delay_reason_id}, "reason_id", "not_expected"),
        ({"reason_id": nurse.clinic.delay_reason_id}, "reason_id", "not_expected"),
        ({"figure": "hour", "at": "0001-01-01T00:00:00+14:00"}, "at", "out_of_range"),
    ]
    for parameters, path, code in cases:
        answer = await nurse.client.get(PATH, params=parameters)
        assert refusal(answer) == (422, "invalid", [(path, code)]), parameters


async def test_one_clinic_never_sees_another(
    nurse: Any, foreign_admin: Any, superuser: Any, refusal: Any, seed: Seed
) -> None:
    mine, theirs = await nurse.create(), await foreign_admin.create()
    assert await listed(nurse) == await listed(nurse, clinic_id=seed.sant.id) == [mine["id"]]
    assert await listed(foreign_admin) == [theirs["id"]]
    assert await listed(superuser) == [theirs["id"], mine["id"]]
    assert await listed(superuser, clinic_id=seed.sant.id) == [mine["id"]]
    for ward, parameters in (
        (nurse, {"clinic_id": seed.maga.id}),
        (nurse, {"surgery_id": seed.maga.surgery_id}),
        (nurse, {"figure": "delays", "reason_id": seed.maga.delay_reason_id}),
        (nurse, {"figure": "hours_lost", "reason_id": 999_999, "limit": 0}),
        (nurse, {"surgery_id": 999_999}),
        (nurse, {"surgery_id": 999_999, "limit": 0}),
        (nurse, {"doctor_id": seed.maga.doctor_id}),
        (nurse, {"doctor_id": 999_999, "limit": 0}),
        (superuser, {"clinic_id": 999_999}),
        (superuser, {"clinic_id": seed.sant.id, "surgery_id": seed.maga.surgery_id}),
    ):
        assert refusal(await ward.client.get(PATH, params=parameters)) == (404, "not_found", [])


async def test_a_cursor_of_my_own_tickets_is_nobody_elses(nurse: Any, admin: Any, refusal: Any) -> None:
    for n in range(2):
        await nurse.create(**other(f"P-{n}"))
    page = await nurse.client.get(PATH, params={"created_by_me": "true", "limit": 1})
    cursor = page.json()["next"]
    answer = await admin.client.get(PATH, params={"created_by_me": "true", "cursor": cursor})
    assert refusal(answer) == (422, "invalid", [("cursor", "other_parameters")])


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "patient", "-surgery"])
async def test_pages_neither_skip_nor_repeat_while_others_create_and_change(
    nurse: Any, connection: rows.Connection, database_url: str, seed: Seed, sort: str
) -> None:
    clinic = seed.sant

    async def make(on: rows.Connection, n: int) -> str:
        patient = await rows.patient(on, clinic.id, last_name=f"{'RZÑá'[n % 4]}{n % 6}")
        name = f"{'Úuz'[n % 3]}"
        return await rows.ticket(on, clinic.id, patient, clinic.surgery_id, surgery_name=name)

    untouched = {await make(connection, n) for n in range(45)}
    stop = asyncio.Event()

    async def others() -> int:
        done = 0
        beside = await asyncpg.connect(database_url)
        try:
            while not stop.is_set():
                made = await make(beside, done)
                await beside.execute("UPDATE ticket SET surgery_name = 'A', bed_number = '1' WHERE id = $1", made)
                done += 1
        finally:
            await beside.close()
        return done

    working = asyncio.create_task(others())
    try:
        seen: list[str] = []
        cursor: Json = {}
        # Ascending lists grow at their end as fast as somebody turns their pages.
        for _ in range(80):
            answer = (await nurse.client.get(PATH, params={"sort": sort, "limit": 4} | cursor)).json()
            seen += [ticket["id"] for ticket in answer["items"]]
            if answer["next"] is None or untouched <= set(seen):
                break
            cursor = {"cursor": answer["next"]}
    finally:
        stop.set()
    assert await working > 3
    kept = [ticket for ticket in seen if ticket in untouched]
    assert sorted(kept) == sorted(untouched)
