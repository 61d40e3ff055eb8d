"""Catalogs are kept by superusers: made, changed, taken out of use; nothing is deleted, and history stays."""

import asyncio
from typing import Any

import httpx

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed, Seed
from tests.support.answers import codes, outcome
from tests.support.audit import last_audit
from tests.support.days import lately

Body = dict[str, Any]
KINDS = ("specialties", "surgeries", "doctors", "reasons")
ROW = {
    "specialties": "specialty_id",
    "surgeries": "surgery_id",
    "doctors": "doctor_id",
    "reasons": "modification_reason_id",
}
NAME = {"specialties": "name", "surgeries": "name", "doctors": "name", "reasons": "reason"}
AUDITED = {"specialties": "specialty", "surgeries": "surgery", "doctors": "doctor", "reasons": "reason"}


def new(kind: str, clinic: ClinicSeed, **values: Any) -> Body:
    """A body for POST."""
    bodies: dict[str, Body] = {
        "specialties": {"name": "Urología"},
        "surgeries": {"name": "Nefrectomía", "specialty_id": clinic.specialty_id, "base_stay_hours": 72},
        "doctors": {"name": "Dra. Nueva", "specialty_id": clinic.specialty_id, "rut": "12.345.678-5"},
        "reasons": {"reason": "Fiebre", "category": "modification"},
    }
    return {"clinic_id": clinic.id} | bodies[kind] | values


def path_of(kind: str, clinic: ClinicSeed) -> str:
    return f"/v1/{kind}/{getattr(clinic, ROW[kind])}"


async def listed(client: httpx.AsyncClient, kind: str, **query: Any) -> list[Body]:
    answer = await client.get(f"/v1/{kind}", params=query)
    assert answer.status_code == 200, answer.text
    items: list[Body] = answer.json()["items"]
    return items


async def test_a_new_row_is_answered_listed_and_audited(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    superuser, viewer = await sign_in(seed.superuser), await sign_in(seed.sant.viewer)
    for kind in KINDS:
        before = await listed(viewer, kind)
        body = new(kind, seed.sant)
        made = await superuser.post(f"/v1/{kind}", json=body)
        assert made.status_code == 201, made.text
        item = made.json()
        expected = body | ({"rut": "12345678-5"} if kind == "doctors" else {})
        assert {name: item[name] for name in expected} == expected, kind
        assert item["is_active"] is True, kind
        assert made.headers["cache-control"] == "no-store", kind
        assert f"{seed.sant.id}/catalogs=" in made.headers["cache-version"], kind
        after = await listed(viewer, kind)
        assert item in after, kind
        assert len(after) == len(before) + 1, kind
        audit = await last_audit(connection)
        assert (audit["action"], audit["target_id"]) == (f"{AUDITED[kind]}.created", str(item["id"])), kind
        assert (audit["username"], audit["clinic_id"]) == ("superuser", seed.sant.id), kind
        assert audit["changes"][NAME[kind]] == [None, item[NAME[kind]]], kind


async def test_a_change_is_answered_listed_and_audited_with_before_and_after(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    superuser, viewer = await sign_in(seed.superuser), await sign_in(seed.sant.viewer)
    for kind in KINDS:
        path, name = path_of(kind, seed.sant), NAME[kind]
        before = next(item for item in await listed(viewer, kind) if str(item["id"]) == path.rpartition("/")[2])
        changed = await superuser.patch(path, json={name: "Otro nombre"})
        assert changed.status_code == 200, changed.text
        assert changed.json() == before | {name: "Otro nombre"}, kind
        assert changed.json() in await listed(viewer, kind), kind
        audit = await last_audit(connection)
        assert (audit["action"], audit["clinic_id"]) == (f"{AUDITED[kind]}.changed", seed.sant.id), kind
        assert audit["changes"] == {name: [before[name], "Otro nombre"]}, kind


async def test_what_changes_nothing_leaves_no_trace(sign_in: SignIn, connection: rows.Connection, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    for kind in KINDS:
        row = next(
            i for i in await listed(superuser, kind) if str(i["id"]) == path_of(kind, seed.sant).rpartition("/")[2]
        )
        count = await connection.fetchval("SELECT count(*) FROM action_audit")
        for body in ({}, {NAME[kind]: row[NAME[kind]], "is_active": True}):
            answer = await superuser.patch(path_of(kind, seed.sant), json=body)
            assert (answer.status_code, answer.json()) == (200, row), kind
            assert "cache-version" not in answer.headers, kind
        assert await connection.fetchval("SELECT count(*) FROM action_audit") == count, kind


async def test_only_a_superuser_writes_catalogs(sign_in: SignIn, client: httpx.AsyncClient, seed: Seed) -> None:
    users = [await sign_in(name) for name in (seed.sant.viewer, seed.sant.clinical, seed.sant.admin)]
    for kind in KINDS:
        for user in users:
            for clinic in (seed.sant, seed.maga):
                assert (await user.post(f"/v1/{kind}", json=new(kind, clinic))).status_code == 403, kind
                assert (await user.patch(path_of(kind, clinic), json={"is_active": False})).status_code == 403, kind
            assert (await user.post(f"/v1/{kind}", json={"nonsense": 1})).status_code == 403, kind
        assert (await client.post(f"/v1/{kind}", json=new(kind, seed.sant))).status_code == 401, kind


async def test_a_new_row_names_its_clinic(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    for kind in KINDS:
        body = new(kind, seed.sant)
        del body["clinic_id"]
        assert codes(await superuser.post(f"/v1/{kind}", json=body)) == [("clinic_id", "required")], kind
        unknown = await superuser.post(f"/v1/{kind}", json=new(kind, seed.sant, clinic_id=999_999))
        assert codes(unknown) == [("clinic_id", "unknown_reference")], kind


async def test_an_unknown_row_is_not_found_also_where_the_body_is_refused(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    for kind in KINDS:
        for row_id in ("999999", "0", str(2**31), "9" * 400):
            for body in ({"is_active": False}, {"nonsense": True}):
                answer = await superuser.patch(f"/v1/{kind}/{row_id}", json=body)
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (kind, row_id)
        assert (await superuser.patch(f"/v1/{kind}/x", json={})).status_code == 422, kind
        for field, value in (("nonsense", True), ("clinic_id", seed.maga.id)):
            answer = await superuser.patch(path_of(kind, seed.sant), json={field: value})
            assert codes(answer) == [(field, "unknown_field")], kind


async def test_null_does_not_clear_what_a_row_cannot_be_without(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    for kind in KINDS:
        for field in (NAME[kind], "is_active"):
            refused = codes(await superuser.patch(path_of(kind, seed.sant), json={field: None}))
            assert [path for path, _ in refused] == [field], kind
        for text in ("", "   ", "x" * 501, "\x00", 3):
            refused = codes(await superuser.patch(path_of(kind, seed.sant), json={NAME[kind]: text}))
            assert [path for path, _ in refused] == [NAME[kind]], kind


async def test_a_duplicate_is_refused_whatever_its_case_but_not_in_another_clinic(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    for kind in ("specialties", "surgeries", "reasons"):
        first = (await superuser.post(f"/v1/{kind}", json=new(kind, seed.sant))).json()
        again = new(kind, seed.sant, **{NAME[kind]: f" {first[NAME[kind]].upper()} "})
        refused = await superuser.post(f"/v1/{kind}", json=again)
        assert (refused.status_code, refused.json()["code"]) == (409, "duplicate"), kind
        refused = await superuser.patch(path_of(kind, seed.sant), json={NAME[kind]: first[NAME[kind]]})
        assert (refused.status_code, refused.json()["code"]) == (409, "duplicate"), kind
        assert (await superuser.post(f"/v1/{kind}", json=new(kind, seed.maga))).status_code == 201, kind
        if kind == "reasons":
            other = new(kind, seed.sant, category="annulment")
            assert (await superuser.post(f"/v1/{kind}", json=other)).status_code == 201, kind


async def test_of_two_who_make_the_same_at_once_one_is_told(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    for kind in KINDS:
        body = new(kind, seed.sant)
        answers = await asyncio.gather(*(superuser.post(f"/v1/{kind}", json=body) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7, kind


async def test_two_doctors_may_have_one_name_but_not_one_rut(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    first = await superuser.post("/v1/doctors", json=new("doctors", seed.sant))
    same_name = await superuser.post("/v1/doctors", json=new("doctors", seed.sant, rut=None))
    assert (first.status_code, same_name.status_code) == (201, 201)
    other = f"/v1/doctors/{same_name.json()['id']}"
    refused = await superuser.patch(other, json={"rut": "12345678-5"})
    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate")
    assert (await superuser.post("/v1/doctors", json=new("doctors", seed.maga))).status_code == 201
    # Its own is no duplicate.
    own = await superuser.patch(f"/v1/doctors/{first.json()['id']}", json={"rut": "12345678-5", "name": "Otra"})
    assert own.status_code == 200


RUTS = [("12.345.678-5", "12345678-5"), ("12345678-5", "12345678-5"), ("6-k", None), ("12345678-4", None), ("x", None)]


async def test_a_doctors_rut_is_checked_and_kept_in_one_form(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    for typed, kept in RUTS:
        answer = await superuser.patch(path_of("doctors", seed.sant), json={"rut": typed})
        if kept is None:
            assert codes(answer) == [("rut", "invalid_rut")], typed
        else:
            assert answer.json()["rut"] == kept, typed
            cleared = await superuser.patch(path_of("doctors", seed.sant), json={"rut": None})
            assert cleared.json()["rut"] is None, typed


async def test_a_specialty_is_of_the_clinic_and_in_use(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    superuser = await sign_in(seed.superuser)
    for kind in ("surgeries", "doctors"):
        unused = await rows.specialty(connection, seed.sant.id, is_active=False)
        for specialty_id, code in (
            (seed.maga.specialty_id, "unknown_reference"),
            (999_999, "unknown_reference"),
            (unused, "inactive"),
        ):
            created = await superuser.post(f"/v1/{kind}", json=new(kind, seed.sant, specialty_id=specialty_id))
            assert codes(created) == [("specialty_id", code)], kind
            changed = await superuser.patch(path_of(kind, seed.sant), json={"specialty_id": specialty_id})
            assert codes(changed) == [("specialty_id", code)], kind
        # What it has already may have gone out of use.
        await connection.execute("UPDATE specialty SET is_active = false WHERE id = $1", seed.sant.specialty_id)
        kept = {"specialty_id": seed.sant.specialty_id, "name": "Otro"}
        assert (await superuser.patch(path_of(kind, seed.sant), json=kept)).status_code == 200, kind


OUT_OF_BOUNDS: dict[str, tuple[Any, ...]] = {
    "base_stay_hours": (0, 2161, -1, "24", True, 1.5, None),
    "ambulatory_cutoff_hour": (-1, 24, "16"),
    "applies_ticket_home": ("true", 1, None),
    "specialty_id": (None, "2", 0, 2**31),
}


async def test_a_surgerys_figures_are_within_their_bounds(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    for field, values in OUT_OF_BOUNDS.items():
        for value in values:
            refused = await superuser.patch(path_of("surgeries", seed.sant), json={field: value})
            assert [path for path, _ in codes(refused)] == [field], value
        for hours in (1, 2160):
            changed = await superuser.patch(path_of("surgeries", seed.sant), json={"base_stay_hours": hours})
            assert changed.json()["base_stay_hours"] == hours, field
        cutoff = await superuser.patch(path_of("surgeries", seed.sant), json={"ambulatory_cutoff_hour": 0})
        assert cutoff.json()["ambulatory_cutoff_hour"] == 0, field
        cleared = await superuser.patch(path_of("surgeries", seed.sant), json={"ambulatory_cutoff_hour": None})
        assert cleared.json()["ambulatory_cutoff_hour"] is None, field


async def test_initial_reasons_are_kept_for_imported_data(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    superuser = await sign_in(seed.superuser)
    refused = await superuser.post("/v1/reasons", json=new("reasons", seed.sant, category="initial"))
    assert [path for path, _ in codes(refused)] == ["category"]
    imported = await rows.reason(connection, seed.sant.id, "initial")
    changed = await superuser.patch(f"/v1/reasons/{imported}", json={"reason": "Otra", "is_active": False})
    assert (changed.status_code, changed.json()["category"]) == (200, "initial")


async def test_taking_out_of_use_leaves_history_as_it_was(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    superuser, nurse = await sign_in(seed.superuser), await sign_in(seed.sant.clinical)
    body = {
        "patient": {"document_type": "passport", "document": "P77", "first_name": "Ana", "last_name": "Rojas"},
        "surgery_id": seed.sant.surgery_id,
        "doctor_id": seed.sant.doctor_id,
        "surgery_at": lately(),
    }
    created = await nurse.post("/v1/tickets", json=body)
    assert created.status_code == 201, created.text
    for kind in KINDS:
        assert (await superuser.patch(path_of(kind, seed.sant), json={"is_active": False})).status_code == 200
        assert (await superuser.delete(path_of(kind, seed.sant))).status_code == 405
        assert getattr(seed.sant, ROW[kind]) not in [item["id"] for item in await listed(nurse, kind)]
    ticket = (await nurse.get(f"/v1/tickets/{created.json()['id']}")).json()
    for name in ("surgery", "doctor", "current_fpa", "revision"):
        assert ticket[name] == created.json()[name]
    refused = await nurse.post("/v1/tickets", json=body)
    assert sorted(codes(refused)) == [("doctor_id", "inactive"), ("surgery_id", "inactive")]
    assert (await superuser.patch(path_of("surgeries", seed.sant), json={"is_active": True})).status_code == 200


async def test_a_renamed_surgery_keeps_its_old_name_in_tickets(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    superuser, viewer = await sign_in(seed.superuser), await sign_in(seed.sant.viewer)
    ticket = await seed.sant.ticket(connection)
    before = (await viewer.get(f"/v1/tickets/{ticket}")).json()
    await superuser.patch(path_of("surgeries", seed.sant), json={"name": "Otra", "base_stay_hours": 1})
    after = (await viewer.get(f"/v1/tickets/{ticket}")).json()
    assert (after["surgery"], after["current_fpa"]) == (before["surgery"], before["current_fpa"])


async def test_a_write_is_in_the_next_read_and_other_clinics_entries_stay(sign_in: SignIn, seed: Seed) -> None:
    superuser, viewer, other = [await sign_in(name) for name in (seed.superuser, seed.sant.viewer, seed.maga.viewer)]
    for kind in KINDS:
        for client in (viewer, other, superuser):
            await client.get(f"/v1/{kind}")
        for number in range(5):
            name = f"Nombre {number}"
            await superuser.patch(path_of(kind, seed.sant), json={NAME[kind]: name})
            for client in (viewer, superuser):
                answer = await client.get(f"/v1/{kind}")
                assert name in [item[NAME[kind]] for item in answer.json()["items"]], kind
        assert outcome(await other.get(f"/v1/{kind}")) == "hit", kind


async def test_a_write_is_read_on_another_process_at_once_with_its_cache_version(
    settings: Settings, sign_in: SignIn, seed: Seed
) -> None:
    """Without push, so that nothing but the header can have told it."""
    superuser = await sign_in(seed.superuser)
    async with running(settings.model_copy(update={"cache_push": False})) as (deaf, _):
        there = await sign_in(seed.sant.viewer, on=deaf)
        for number in range(5):
            await there.get("/v1/surgeries")
            written = await superuser.patch(path_of("surgeries", seed.sant), json={"name": f"Nombre {number}"})
            headers = {"Cache-Version": written.headers["cache-version"]}
            found = await there.get("/v1/surgeries", headers=headers)
            assert [item["name"] for item in found.json()["items"]] == [f"Nombre {number}"]


async def test_the_same_key_makes_one_row(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    headers, body = {"Idempotency-Key": "one"}, new("specialties", seed.sant)
    first, second = await asyncio.gather(
        *(superuser.post("/v1/specialties", json=body, headers=headers) for _ in range(2))
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert sorted(answer.headers.get("idempotency-replayed", "") for answer in (first, second)) == ["", "true"]
