"""GET /v1/dashboard: who may, for which clinic, what is refused, and what its headers tell."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.dashboard.views import EXAMPLE, Dashboard
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import outcome

UNKNOWN = 2**31 - 1


async def some_tickets(connection: rows.Connection, seed: Seed) -> None:
    for clinic, number in ((seed.sant, 2), (seed.maga, 1)):
        for _ in range(number):
            ticket = await clinic.ticket(connection, doctor_id=clinic.doctor_id)
            await rows.modification(connection, clinic.id, ticket)
        reason = await rows.reason(connection, clinic.id, "delay")
        await rows.delay(connection, clinic.id, ticket, reason)


def shape(value: Any) -> Any:
    """Names all the way down, of a list those of its first row."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else None


async def test_the_answer_has_the_contracts_shape(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    await some_tickets(connection, seed)
    for username, clinic_id in ((seed.sant.admin, seed.sant.id), (seed.superuser, None)):
        answer = await (await sign_in(username)).get("/v1/dashboard")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert shape(answer.json()) == shape(EXAMPLE)
        assert answer.json()["clinic_id"] == clinic_id
        assert Dashboard.model_validate(answer.json()).model_dump(mode="json") == answer.json()


async def test_times_carry_the_clinics_offset_and_the_networks_is_santiagos(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    await some_tickets(connection, seed)
    superuser = await sign_in(seed.superuser)
    for clinic_id, zone in ((seed.sant.id, "America/Santiago"), (seed.maga.id, "America/Punta_Arenas"), (None, "")):
        query = {} if clinic_id is None else {"clinic_id": clinic_id}
        found = (await superuser.get("/v1/dashboard", params=query)).json()
        times = [found["generated_at"], found["valid_until"], *(one["hour"] for one in found["by_hour"])]
        times += [row[name] for row in found["recent_tickets"] for name in ("current_fpa", "created_at")]
        for written in times:
            local = await connection.fetchval(
                "SELECT to_char($1::timestamptz AT TIME ZONE $2, 'YYYY-MM-DD\"T\"HH24:MI:SS')",
                *(datetime.fromisoformat(written), zone or "America/Santiago"),
            )
            assert written[:19] == local
            assert written[19] in "+-"


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("clinical", 403), ("admin", 200)])
async def test_admins_only(sign_in: SignIn, seed: Seed, role: str, status: int) -> None:
    client = await sign_in(f"{role}_sant")
    assert (await client.get("/v1/dashboard")).status_code == status


async def test_nobody_else(client: httpx.AsyncClient, seed: Seed) -> None:
    assert (await client.get("/v1/dashboard")).status_code == 401


async def test_an_admin_reads_its_own_clinic_named_or_not(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    await some_tickets(connection, seed)
    admin = await sign_in(seed.sant.admin)
    answers = [await admin.get("/v1/dashboard"), await admin.get(f"/v1/dashboard?clinic_id={seed.sant.id}")]
    assert [answer.json()["kpis"]["total"] for answer in answers] == [2, 2]
    assert [outcome(answer) for answer in answers] == ["fwd=miss", "hit"]


async def test_a_superuser_reads_each_clinic_and_the_network(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    await some_tickets(connection, seed)
    superuser = await sign_in(seed.superuser)
    for clinic_id, total in ((seed.sant.id, 2), (seed.maga.id, 1)):
        answer = await superuser.get(f"/v1/dashboard?clinic_id={clinic_id}")
        assert (answer.json()["clinic_id"], answer.json()["kpis"]["total"]) == (clinic_id, total)
    network = (await superuser.get("/v1/dashboard")).json()
    assert (network["clinic_id"], network["kpis"]["total"]) == (None, 3)
    for rows_of in ("top_surgeries", "doctors_by_modifications", "recent_tickets"):
        assert {row["clinic_id"] for row in network[rows_of]} == {seed.sant.id, seed.maga.id}


async def test_two_admins_never_share_an_entry(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    await some_tickets(connection, seed)
    # Equal versions: what keeps the entries apart must not be that versions happen to differ.
    await connection.execute(
        "INSERT INTO cache_version (clinic_id, topic, version) SELECT c.id, t, 1::bigint << 50"
        " FROM clinic c, unnest(ARRAY['figures', 'catalogs']) AS t ON CONFLICT (clinic_id, topic)"
        " DO UPDATE SET version = excluded.version, changed_in = pg_current_xact_id()"
    )
    clients = [await sign_in(seed.sant.admin), await sign_in(seed.maga.admin)]
    for expected in ("fwd=miss", "hit"):
        answers = [await client.get("/v1/dashboard") for client in clients]
        assert [answer.json()["kpis"]["total"] for answer in answers] == [2, 1]
        assert [outcome(answer) for answer in answers] == [expected] * 2
        assert answers[0].headers["etag"] != answers[1].headers["etag"]


async def refusal(client: httpx.AsyncClient, **query: object) -> dict[str, Any]:
    answer = await client.get("/v1/dashboard", params=query)  # type: ignore[arg-type]
    assert answer.headers["content-type"] == "application/problem+json"
    assert "etag" not in answer.headers
    found: dict[str, Any] = answer.json()
    assert found.pop("request_id") == answer.headers["x-request-id"]
    assert found["status"] == answer.status_code
    return found


async def test_foreign_and_unknown_are_told_alike(sign_in: SignIn, seed: Seed) -> None:
    admin, superuser = await sign_in(seed.sant.admin), await sign_in(seed.superuser)
    refusals = [
        await refusal(admin, clinic_id=seed.maga.id),
        await refusal(admin, clinic_id=UNKNOWN),
        await refusal(admin, surgery_id=seed.maga.surgery_id),
        await refusal(admin, surgery_id=UNKNOWN),
        await refusal(admin, surgery_id=seed.maga.surgery_id, date_from="2026-01-01"),
        await refusal(superuser, clinic_id=UNKNOWN),
        await refusal(superuser, clinic_id=seed.sant.id, surgery_id=seed.maga.surgery_id),
        await refusal(superuser, surgery_id=UNKNOWN),
    ]
    assert {one["code"] for one in refusals} == {"not_found"}
    assert all(one == refusals[0] for one in refusals)


async def test_not_found_comes_before_what_else_is_wrong(sign_in: SignIn, seed: Seed) -> None:
    admin, superuser = await sign_in(seed.sant.admin), await sign_in(seed.superuser)
    for client, named in (
        (admin, {"surgery_id": seed.maga.surgery_id}),
        (admin, {"surgery_id": UNKNOWN}),
        (superuser, {"clinic_id": UNKNOWN}),
        (superuser, {"surgery_id": UNKNOWN}),
    ):
        for wrong in (
            {"date_from": "yesterday"},
            {"date_from": "2026-02-02", "date_to": "2026-02-01"},
            {"nonsense": 1},
        ):
            assert (await refusal(client, **named, **wrong))["code"] == "not_found"


REFUSED_QUERIES = [
    ({"date_from": "2026-02-02", "date_to": "2026-02-01"}, "date_to"),
    ({"date_from": "2026-02-30"}, "date_from"),
    ({"date_from": "1767225600"}, "date_from"),
    ({"date_from": "2026-02-02T00:00:00"}, "date_from"),
    ({"date_to": ""}, "date_to"),
    ({"date_from": "0001-01-01"}, "date_from"),
    ({"date_to": "9999-12-31"}, "date_to"),
    ({"date_to": "10000-01-01"}, "date_to"),
    ({"surgery_id": "0"}, "surgery_id"),
    ({"surgery_id": "2147483648"}, "surgery_id"),
    ({"surgery_id": "9" * 5000}, "surgery_id"),
    ({"surgery_id": "one"}, "surgery_id"),
    ({"clinic_id": "x"}, "clinic_id"),
    ({"from": "2026-01-01"}, "from"),
]


async def test_refused_queries_name_the_parameter(sign_in: SignIn, seed: Seed) -> None:
    for username in (seed.sant.admin, seed.superuser):
        client = await sign_in(username)
        for query, path in REFUSED_QUERIES:
            problem = await refusal(client, **query)
            assert (problem["status"], problem["code"]) == (422, "invalid"), (query, path)
            assert [error["path"] for error in problem["errors"]] == [path], (query, path)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ({"date_from": "1980-01-01", "date_to": "2199-12-31"}, 2),
        ({"date_from": "{today}", "date_to": "{today}"}, 2),
        ({"date_from": "{tomorrow}"}, 0),
        ({"date_to": "{yesterday}"}, 0),
        ({"surgery_id": "{surgery}"}, 2),
        ({"surgery_id": "{surgery}", "date_from": "{tomorrow}"}, 0),
    ],
)
async def test_filters_apply_to_every_figure(
    sign_in: SignIn, connection: rows.Connection, seed: Seed, query: dict[str, str], total: int
) -> None:
    await some_tickets(connection, seed)
    noon = datetime.now(UTC)
    today = await connection.fetchval("SELECT ($1::timestamptz AT TIME ZONE 'America/Santiago')::date", noon)
    days = {name: today + timedelta(days=n) for name, n in (("yesterday", -1), ("today", 0), ("tomorrow", 1))}
    await connection.execute("UPDATE ticket SET created_at = $1", noon)
    asked = {name: text.format(**days, surgery=seed.sant.surgery_id) for name, text in query.items()}
    found = (await (await sign_in(seed.sant.admin)).get("/v1/dashboard", params=asked)).json()
    assert found["kpis"]["total"] == found["kpis"]["active"] == found["modifications"]["total"] == total
    assert sum(one["discharges"] for one in found["by_hour"]) == len(found["recent_tickets"]) == total
    assert bool(found["top_surgeries"]) == bool(found["doctors_by_modifications"]) == bool(total)


async def test_a_hit_after_a_miss_asks_the_database_nothing(sign_in: SignIn, seed: Seed) -> None:
    for username in (seed.sant.admin, seed.superuser):
        client = await sign_in(username)
        miss = await client.get("/v1/dashboard?date_from=2026-01-01")
        assert outcome(miss) == "fwd=miss"
        assert 'db;desc="' in miss.headers["server-timing"]
        hit = await client.get("/v1/dashboard?date_from=2026-01-01")
        assert outcome(hit) == "hit"
        assert "db;" not in hit.headers["server-timing"]
        assert hit.content == miss.content
        assert hit.headers["etag"] == miss.headers["etag"]
        assert hit.headers["cache-control"] == "private, no-cache"


async def test_what_the_client_holds_is_not_sent_again_until_a_figure_changes(
    app: FastAPI, sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    admin = await sign_in(seed.sant.admin)
    first = await admin.get("/v1/dashboard")
    assert first.headers["etag"].startswith('W/"')
    held = {"If-None-Match": first.headers["etag"]}
    for _ in range(2):
        again = await admin.get("/v1/dashboard", headers=held)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert outcome(again) == "hit"
    await some_tickets(connection, seed)
    versions = await connection.fetch("SELECT clinic_id, topic, version FROM cache_version")
    made = app.state.runtime.version_header.format(
        [(row["clinic_id"], row["topic"], row["version"]) for row in versions]
    )
    changed = await admin.get("/v1/dashboard", headers=held | {"Cache-Version": made})
    assert changed.status_code == 200
    assert changed.json()["kpis"]["total"] == 2
