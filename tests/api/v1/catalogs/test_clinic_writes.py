"""Clinics: their prefix, their time zone that is fixed once they have tickets, and what closing one does."""

import asyncio
from datetime import UTC, datetime, time, timedelta

import httpx
import pytest

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes
from tests.support.audit import last_audit
from tests.support.days import winters_day
from tests.support.machine import until

CLINICS = "/v1/clinics"


@pytest.fixture
async def superuser(sign_in: SignIn, seed: Seed) -> httpx.AsyncClient:
    return await sign_in(seed.superuser)


async def test_a_new_clinic_gets_its_prefix_from_its_name(
    superuser: httpx.AsyncClient, connection: rows.Connection
) -> None:
    made = await superuser.post(CLINICS, json={"name": "Clínica RedSalud Ñuñoa"})
    assert made.status_code == 201, made.text
    clinic = made.json()
    assert clinic == {
        "id": clinic["id"],
        "name": "Clínica RedSalud Ñuñoa",
        "prefix": "NUNO",
        "timezone": "America/Santiago",
        "is_active": True,
    }
    assert clinic in (await superuser.get(CLINICS)).json()["items"]
    audit = await last_audit(connection)
    assert (audit["action"], audit["target_id"], audit["clinic_id"]) == (
        "clinic.created",
        str(clinic["id"]),
        clinic["id"],
    )
    assert audit["changes"]["prefix"] == [None, "NUNO"]


async def test_a_taken_prefix_takes_the_next_free_letters(superuser: httpx.AsyncClient) -> None:
    """SANT is the seed's."""
    made = await superuser.post(CLINICS, json={"name": "Clínica RedSalud Santiago"})
    assert made.json()["prefix"] == "SANI"


async def test_clinics_of_like_names_made_at_once_get_different_prefixes(superuser: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(superuser.post(CLINICS, json={"name": f"Valparaíso {n}"}) for n in range(8)))
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.json()["prefix"] for answer in answers}) == 8


async def test_a_clinics_name_is_unique_whatever_its_case(superuser: httpx.AsyncClient, seed: Seed) -> None:
    for answer in (
        await superuser.post(CLINICS, json={"name": "CLÍNICA SANT"}),
        await superuser.patch(f"{CLINICS}/{seed.maga.id}", json={"name": "clínica sant"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")


async def test_a_renamed_clinic_keeps_its_prefix(superuser: httpx.AsyncClient, seed: Seed) -> None:
    changed = await superuser.patch(f"{CLINICS}/{seed.sant.id}", json={"name": "Clínica RedSalud Vitacura"})
    assert (changed.json()["name"], changed.json()["prefix"]) == ("Clínica RedSalud Vitacura", "SANT")
    refused = await superuser.patch(f"{CLINICS}/{seed.sant.id}", json={"prefix": "VITA"})
    assert codes(refused) == [("prefix", "unknown_field")]


@pytest.mark.parametrize(
    "name", ["Marte/Olympus", "america/santiago", "localtime", "../../etc/passwd", "America", "CLT"]
)
async def test_a_time_zone_is_one_of_ianas(superuser: httpx.AsyncClient, seed: Seed, name: str) -> None:
    for answer in (
        await superuser.post(CLINICS, json={"name": "Otra", "timezone": name}),
        await superuser.patch(f"{CLINICS}/{seed.maga.id}", json={"timezone": name}),
    ):
        assert codes(answer) == [("timezone", "unknown_timezone")]


async def test_the_time_zone_is_fixed_once_the_clinic_has_tickets(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    path = f"{CLINICS}/{seed.maga.id}"
    moved = await superuser.patch(path, json={"timezone": "Pacific/Easter"})
    assert (moved.status_code, moved.json()["timezone"]) == (200, "Pacific/Easter")
    await seed.maga.ticket(connection)
    refused = await superuser.patch(path, json={"timezone": "America/Santiago"})
    assert (refused.status_code, refused.json()["code"]) == (409, "timezone_fixed")
    same = await superuser.patch(path, json={"timezone": "Pacific/Easter", "name": "Otra"})
    assert (same.status_code, same.json()["name"]) == (200, "Otra")


async def test_a_ticket_and_a_move_of_its_clinic_at_once_agree_on_the_zone(
    superuser: httpx.AsyncClient, sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    nurse = await sign_in(seed.maga.clinical)
    winter = winters_day()
    body = {
        "patient": {"document_type": "passport", "document": "P1", "first_name": "Ana", "last_name": "Rojas"},
        "surgery_id": seed.maga.surgery_id,
        "surgery_at": f"{winter}T14:30",
    }
    for _ in range(10):
        await connection.execute("DELETE FROM ticket")
        await connection.execute("UPDATE clinic SET timezone = 'America/Punta_Arenas' WHERE id = $1", seed.maga.id)
        created, moved = await asyncio.gather(
            nurse.post("/v1/tickets", json=body),
            superuser.patch(f"{CLINICS}/{seed.maga.id}", json={"timezone": "Pacific/Easter"}),
        )
        assert created.status_code == 201, created.text
        zone = await connection.fetchval("SELECT timezone FROM clinic WHERE id = $1", seed.maga.id)
        assert (zone == "Pacific/Easter") == (moved.status_code == 200)
        kept = await connection.fetchval(
            "SELECT surgery_at AT TIME ZONE $1 FROM ticket WHERE id = $2", zone, created.json()["id"]
        )
        assert kept == datetime.combine(winter, time(14, 30)), (zone, moved.text)


async def test_closing_a_clinic_ends_its_users_sessions_for_good(
    superuser: httpx.AsyncClient, sign_in: SignIn, seed: Seed
) -> None:
    users = [await sign_in(name) for name in (seed.sant.viewer, seed.sant.admin)]
    other = await sign_in(seed.maga.viewer)
    for user in users:
        assert (await user.get("/v1/clinics")).status_code == 200
    closed = await superuser.patch(f"{CLINICS}/{seed.sant.id}", json={"is_active": False})
    assert closed.json()["is_active"] is False
    for user in users:
        assert (await user.get("/v1/clinics")).status_code == 401
    assert (await other.get("/v1/clinics")).status_code == 200
    login = {"username": seed.sant.viewer, "password": rows.PASSWORD, "client": "mobile"}
    assert (await other.post("/v1/auth/login", json=login)).status_code == 401
    await superuser.patch(f"{CLINICS}/{seed.sant.id}", json={"is_active": True})
    for user in users:
        assert (await user.get("/v1/clinics")).status_code == 401
    assert (await (await sign_in(seed.sant.viewer)).get("/v1/clinics")).status_code == 200


async def test_closing_a_clinic_ends_sessions_in_another_process_within_two_seconds(
    superuser: httpx.AsyncClient, settings: Settings, sign_in: SignIn, seed: Seed
) -> None:
    async with running(settings.model_copy(update={"cache_push": False})) as (deaf, _):
        there = await sign_in(seed.sant.viewer, on=deaf)
        assert (await there.get("/v1/clinics")).status_code == 200
        await superuser.patch(f"{CLINICS}/{seed.sant.id}", json={"is_active": False})

        async def is_refused() -> bool:
            return (await there.get("/v1/clinics")).status_code == 401

        await until(is_refused, within=2.0)


async def test_a_closed_clinics_tickets_still_count_in_the_network(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    fpa = datetime.now(UTC) + timedelta(hours=5)
    await seed.sant.ticket(connection, fpa=fpa)
    await superuser.patch(f"{CLINICS}/{seed.sant.id}", json={"is_active": False})
    answer = await superuser.get("/v1/dashboard")
    assert (answer.json()["kpis"]["total"], answer.json()["kpis"]["active"]) == (1, 1)


async def test_only_a_superuser_writes_clinics(sign_in: SignIn, seed: Seed) -> None:
    for name in (seed.sant.viewer, seed.sant.clinical, seed.sant.admin):
        user = await sign_in(name)
        assert (await user.post(CLINICS, json={"name": "Otra"})).status_code == 403
        for clinic in (seed.sant, seed.maga):
            assert (await user.patch(f"{CLINICS}/{clinic.id}", json={"nonsense": 1})).status_code == 403


async def test_an_unknown_clinic_is_not_found_also_where_the_body_is_refused(superuser: httpx.AsyncClient) -> None:
    for body in ({"is_active": False}, {"nonsense": 1}):
        assert (await superuser.patch(f"{CLINICS}/999999", json=body)).status_code == 404
