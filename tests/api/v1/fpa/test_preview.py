"""POST /v1/fpa/preview: what creating a ticket would calculate."""

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.days import calm_day, lately, winters_day


def refused(answer: Any) -> tuple[int, str, list[tuple[str, str]]]:
    problem = answer.json()
    return answer.status_code, problem["code"], [(one["path"], one["code"]) for one in problem.get("errors", [])]


async def test_the_calculation_is_shown_and_nothing_is_stored(
    sign_in: Any, seed: Seed, connection: rows.Connection
) -> None:
    nurse = await sign_in(seed.sant.clinical)
    day = calm_day(1)
    body = {"surgery_id": seed.sant.surgery_id, "surgery_at": day.at("14:30")}
    answer = await nurse.post("/v1/fpa/preview", json=body)
    assert answer.status_code == 200
    assert answer.json() == {
        "surgery_id": seed.sant.surgery_id,
        "surgery_at": day.shown("14:30"),
        "admission_at": day.shown("12:30"),
        "fpa": day.shown("13:00", days=1),
        "overnight_stays": 1,
        "block": {"start_hour": 11, "end_hour": 13, "label": "11:00 - 13:00"},
    }
    assert "Cache-Version" not in answer.headers
    for table in ("ticket", "action_audit", "ticket_counter"):
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_it_is_calculated_in_the_clinics_zone(sign_in: Any, seed: Seed) -> None:
    day = winters_day()
    winter = {"surgery_at": f"{day}T14:30"}
    santiago = await (await sign_in(seed.sant.clinical)).post(
        "/v1/fpa/preview", json=winter | {"surgery_id": seed.sant.surgery_id}
    )
    magallanes = await (await sign_in(seed.maga.clinical)).post(
        "/v1/fpa/preview", json=winter | {"surgery_id": seed.maga.surgery_id}
    )
    assert santiago.json()["fpa"] == f"{day + timedelta(days=1)}T13:00:00-04:00"
    assert magallanes.json()["fpa"] == f"{day + timedelta(days=1)}T13:00:00-03:00"


async def test_a_superuser_names_the_clinic_and_others_may_name_their_own(sign_in: Any, seed: Seed) -> None:
    body = {"surgery_id": seed.sant.surgery_id, "surgery_at": lately()}
    superuser, nurse = await sign_in(seed.superuser), await sign_in(seed.sant.clinical)
    assert refused(await superuser.post("/v1/fpa/preview", json=body)) == (422, "invalid", [("clinic_id", "required")])
    own = body | {"clinic_id": seed.sant.id}
    assert (await superuser.post("/v1/fpa/preview", json=own)).status_code == 200
    assert (await nurse.post("/v1/fpa/preview", json=own)).status_code == 200
    foreign = await nurse.post("/v1/fpa/preview", json=body | {"clinic_id": seed.maga.id})
    assert refused(foreign) == (404, "not_found", [])


@pytest.mark.parametrize(
    ("changes", "code", "error"),
    [
        ({"surgery_at": "2026-09-06T00:00"}, "nonexistent_local_time", ("surgery_at", "nonexistent_local_time")),
        ({"surgery_at": "9999-12-31T23:59:59Z"}, "invalid", ("surgery_at", "out_of_range")),
        ({"surgery_at": "tomorrow"}, "invalid", ("surgery_at", "invalid")),
        ({"surgery_id": 2**31 - 1}, "invalid", ("surgery_id", "unknown_reference")),
        ({"hours": 3}, "invalid", ("hours", "unknown_field")),
    ],
)
async def test_bad_input_is_refused_by_name(
    sign_in: Any, seed: Seed, changes: dict[str, Any], code: str, error: tuple[str, str]
) -> None:
    nurse = await sign_in(seed.sant.clinical)
    body = {"surgery_id": seed.sant.surgery_id, "surgery_at": lately()} | changes
    assert refused(await nurse.post("/v1/fpa/preview", json=body)) == (422, code, [error])


async def test_foreign_and_inactive_surgeries_are_refused(
    sign_in: Any, seed: Seed, connection: rows.Connection
) -> None:
    nurse = await sign_in(seed.sant.clinical)
    body = {"surgery_id": seed.maga.surgery_id, "surgery_at": lately()}
    assert refused(await nurse.post("/v1/fpa/preview", json=body))[2] == [("surgery_id", "unknown_reference")]
    await connection.execute("UPDATE surgery SET is_active = false")
    body["surgery_id"] = seed.sant.surgery_id
    assert refused(await nurse.post("/v1/fpa/preview", json=body))[2] == [("surgery_id", "inactive")]


async def test_who_may(client: Any, sign_in: Any, seed: Seed) -> None:
    body = {"surgery_id": seed.sant.surgery_id, "surgery_at": lately()}
    assert (await client.post("/v1/fpa/preview", json=body)).status_code == 401
    assert (await (await sign_in(seed.sant.viewer)).post("/v1/fpa/preview", json=body)).status_code == 403
    assert (await (await sign_in(seed.sant.admin)).post("/v1/fpa/preview", json=body)).status_code == 200
