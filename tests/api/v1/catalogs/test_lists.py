"""What the catalogs' lists answer, and to whom."""

import httpx
import pytest

from core.catalogs.catalogs import CATALOGS
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed

PATHS = (
    "/v1/clinics",
    *(f"/v1/{catalog.plural}" for catalog in CATALOGS),
    "/v1/urgency-thresholds",
    "/v1/discharge-blocks",
)
PER_CLINIC = PATHS[1:-2]


async def test_items_have_the_contracts_shapes(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    await connection.execute("DELETE FROM doctor WHERE id = $1", seed.sant.doctor_id)
    await rows.doctor(connection, seed.sant.id, name="Dra. Soto", specialty_id=seed.sant.specialty_id, rut="12345678-5")
    ambulatory = {"name": "A", "base_stay_hours": 6, "is_ambulatory": True, "ambulatory_cutoff_hour": 16}
    await rows.surgery(connection, seed.sant.id, seed.sant.specialty_id, **ambulatory)
    specialty = await connection.fetchval("SELECT name FROM specialty WHERE id = $1", seed.sant.specialty_id)
    viewer = await sign_in(seed.sant.viewer)

    async def first(path: str) -> dict[str, object]:
        answer = (await viewer.get(path)).json()
        assert list(answer) == ["items"]
        found: dict[str, object] = answer["items"][0]
        return found

    assert await first("/v1/clinics") == {
        "id": seed.sant.id,
        "name": "Clínica SANT",
        "prefix": "SANT",
        "timezone": "America/Santiago",
        "is_active": True,
    }
    surgery = await first("/v1/surgeries")
    assert surgery == {
        "id": surgery["id"],
        "clinic_id": seed.sant.id,
        "name": "A",
        "specialty_id": seed.sant.specialty_id,
        "specialty_name": specialty,
        "base_stay_hours": 6,
        "applies_ticket_home": True,
        "is_ambulatory": True,
        "ambulatory_cutoff_hour": 16,
        "is_active": True,
    }
    assert set(await first("/v1/specialties")) == {"id", "clinic_id", "name", "is_active"}
    doctor = await first("/v1/doctors")
    assert doctor == {
        "id": doctor["id"],
        "clinic_id": seed.sant.id,
        "name": "Dra. Soto",
        "specialty_id": seed.sant.specialty_id,
        "specialty_name": specialty,
        "rut": "12345678-5",
        "is_active": True,
    }
    assert set(await first("/v1/reasons")) == {"id", "clinic_id", "reason", "category", "is_active"}
    assert await first("/v1/urgency-thresholds") == {
        "clinic_id": seed.sant.id,
        "red_hours": 2,
        "yellow_hours": 4,
        "green_hours": 8,
        "inherited": True,
        "updated_at": None,
        "updated_by": None,
    }


async def test_there_are_24_blocks_that_end_at_every_hour(sign_in: SignIn, seed: Seed) -> None:
    viewer = await sign_in(seed.sant.viewer)
    blocks = (await viewer.get("/v1/discharge-blocks")).json()["items"]
    assert [block["end_hour"] for block in blocks] == list(range(24))
    assert blocks[13] == {"start_hour": 11, "end_hour": 13, "label": "11:00 - 13:00"}
    assert blocks[0] == {"start_hour": 22, "end_hour": 0, "label": "22:00 - 00:00"}
    assert blocks[1]["label"] == "23:00 - 01:00"


async def test_every_role_reads_the_same_bytes_of_its_clinic_and_nobody_without_a_session(
    sign_in: SignIn, client: httpx.AsyncClient, seed: Seed
) -> None:
    viewer, nurse, admin = [await sign_in(f"{role}_sant") for role in ("viewer", "clinical", "admin")]
    superuser = await sign_in(seed.superuser)
    for path in PATHS:
        named = {"clinic_id": seed.sant.id}
        answers = [await one.get(path) for one in (viewer, nurse, admin)]
        answers += [await one.get(path, params=named) for one in (viewer, superuser)]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert (await client.get(path)).status_code == 401


async def test_another_clinic_is_not_there(sign_in: SignIn, seed: Seed) -> None:
    admin, superuser = await sign_in(seed.sant.admin), await sign_in(seed.superuser)
    for path in PATHS:
        foreign = await admin.get(path, params={"clinic_id": seed.maga.id})
        unknown = await admin.get(path, params={"clinic_id": 999_999})
        nobodys = [await superuser.get(path, params={"clinic_id": 999_999}) for _ in range(2)]
        for answer in (foreign, unknown, *nobodys):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert foreign.json()["detail"] == unknown.json()["detail"]


@pytest.mark.parametrize("path", PER_CLINIC)
async def test_a_superuser_reads_the_network_and_every_item_names_its_clinic(
    sign_in: SignIn, seed: Seed, path: str
) -> None:
    superuser, viewer = await sign_in(seed.superuser), await sign_in(seed.sant.viewer)
    network = (await superuser.get(path)).json()["items"]
    own = (await viewer.get(path)).json()["items"]
    assert {item["clinic_id"] for item in network} == {seed.sant.id, seed.maga.id}
    assert {item["clinic_id"] for item in own} == {seed.sant.id}
    assert [item for item in network if item["clinic_id"] == seed.sant.id] == own
    name = "reason" if path == "/v1/reasons" else "name"
    assert network == sorted(network, key=lambda item: (item[name], item["id"]))


async def test_a_clinics_user_sees_only_its_own_clinic(sign_in: SignIn, seed: Seed) -> None:
    viewer, superuser = await sign_in(seed.maga.viewer), await sign_in(seed.superuser)
    assert [item["prefix"] for item in (await viewer.get("/v1/clinics")).json()["items"]] == ["MAGA"]
    assert [item["prefix"] for item in (await superuser.get("/v1/clinics")).json()["items"]] == ["MAGA", "SANT"]


@pytest.mark.parametrize("path", [*PER_CLINIC, "/v1/clinics"])
async def test_inactive_items_are_for_those_who_administer(
    sign_in: SignIn, seed: Seed, connection: rows.Connection, path: str
) -> None:
    tables = {f"/v1/{catalog.plural}": catalog.table.__tablename__ for catalog in CATALOGS} | {"/v1/clinics": "clinic"}
    table = tables[path]
    await connection.execute(f"UPDATE {table} SET is_active = false WHERE id = (SELECT min(id) FROM {table})")
    superuser = await sign_in(seed.superuser)
    active = (await superuser.get(path)).json()["items"]
    every = (await superuser.get(path, params={"include_inactive": "true"})).json()["items"]
    assert len(every) == len(active) + 1
    assert [item["is_active"] for item in every].count(False) == 1
    assert all(item["is_active"] for item in active)

    admin, viewer = await sign_in(seed.maga.admin), await sign_in(seed.maga.viewer)
    assert (await admin.get(path, params={"include_inactive": "true"})).status_code == 200
    for wish in ("true", "1", "yes"):
        for client in (viewer, await sign_in(seed.maga.clinical)):
            refused = await client.get(path, params={"include_inactive": wish})
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await viewer.get(path, params={"include_inactive": "false"})).status_code == 200
    assert (await viewer.get(path, params={"include_inactive": "perhaps"})).status_code == 422


async def test_decisions_come_in_order(sign_in: SignIn, seed: Seed) -> None:
    viewer = await sign_in(seed.sant.viewer)
    for path in PATHS:
        everything: dict[str, str | int] = {"include_inactive": "true", "clinic_id": seed.maga.id, "nonsense": "1"}
        assert (await viewer.get(path, params=everything)).status_code == 403
        assert (await viewer.get(path, params={"clinic_id": seed.maga.id, "nonsense": "1"})).status_code == 404
        refused = await viewer.get(path, params={"nonsense": "1"})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "nonsense")
        for bad, status in (("0", 422), (str(2**31), 422), ("-1", 422), ("x", 422)):
            assert (await viewer.get(path, params={"clinic_id": bad})).status_code == status


async def test_surgeries_of_a_specialty(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    other = await rows.specialty(connection, seed.sant.id)
    empty = await rows.specialty(connection, seed.sant.id, is_active=False)
    wanted = await rows.surgery(connection, seed.sant.id, other)
    viewer, superuser = await sign_in(seed.sant.viewer), await sign_in(seed.superuser)
    for client in (viewer, superuser):
        found = (await client.get("/v1/surgeries", params={"specialty_id": other})).json()["items"]
        assert [item["id"] for item in found] == [wanted]
        assert (await client.get("/v1/surgeries", params={"specialty_id": empty})).json() == {"items": []}
        assert (await client.get("/v1/surgeries", params={"specialty_id": 999_999})).status_code == 404
    foreign = await viewer.get("/v1/surgeries", params={"specialty_id": seed.maga.specialty_id})
    assert foreign.status_code == 404
    mixed = {"specialty_id": seed.maga.specialty_id, "clinic_id": seed.sant.id}
    assert (await superuser.get("/v1/surgeries", params=mixed)).status_code == 404
    assert (await viewer.get("/v1/surgeries", params={"specialty_id": "x"})).status_code == 422


async def test_reasons_of_a_category(sign_in: SignIn, seed: Seed) -> None:
    viewer = await sign_in(seed.sant.viewer)
    for category, expected in (
        ("modification", [seed.sant.modification_reason_id]),
        ("annulment", [seed.sant.annulment_reason_id]),
        ("delay", [seed.sant.delay_reason_id]),
        ("initial", []),
    ):
        found = (await viewer.get("/v1/reasons", params={"category": category})).json()["items"]
        assert [item["id"] for item in found] == expected
    refused = await viewer.get("/v1/reasons", params={"category": "other"})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "category")


async def test_a_clinic_without_anything_has_empty_lists(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    bare = await rows.clinic(connection, "BARE")
    superuser = await sign_in(seed.superuser)
    for path in PER_CLINIC:
        assert (await superuser.get(path, params={"clinic_id": bare})).json() == {"items": []}


async def test_thresholds_own_inherited_and_of_the_network(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    insert = "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES ($1, 3, 6, 12)"
    await connection.execute(insert, seed.maga.id)
    closed = await rows.clinic(connection, "SHUT", is_active=False)
    superuser = await sign_in(seed.superuser)

    def item(clinic_id: int | None, hours: tuple[int, int, int], *, inherited: bool) -> dict[str, object]:
        red, yellow, green = hours
        of_hours = {"red_hours": red, "yellow_hours": yellow, "green_hours": green}
        nobody = {"updated_at": None, "updated_by": None}
        return {"clinic_id": clinic_id, **of_hours, "inherited": inherited, **nobody}

    maga = item(seed.maga.id, (3, 6, 12), inherited=False)
    sant = item(seed.sant.id, (2, 4, 8), inherited=True)
    shut = item(closed, (2, 4, 8), inherited=True)
    of_all = item(None, (2, 4, 8), inherited=False)
    path = "/v1/urgency-thresholds"
    assert (await superuser.get(path)).json()["items"] == [of_all, maga, sant]
    every = await superuser.get(path, params={"include_inactive": "true"})
    assert every.json()["items"] == [of_all, maga, sant, shut]
    assert (await superuser.get(path, params={"clinic_id": closed})).json()["items"] == [shut]
    assert (await (await sign_in(seed.maga.viewer)).get(path)).json()["items"] == [maga]

    await connection.execute("DELETE FROM urgency_threshold WHERE clinic_id IS NULL")
    answer = await (await sign_in(seed.sant.viewer)).get(path)
    assert answer.json()["items"] == [sant], "without any row the defaults hold"


@pytest.mark.parametrize(("path", "table"), [("/v1/surgeries", "surgery"), ("/v1/doctors", "doctor")])
async def test_a_specialty_out_of_use_is_named_for_everybody_where_something_in_use_refers_to_it(
    sign_in: SignIn, seed: Seed, connection: rows.Connection, path: str, table: str
) -> None:
    """The list of specialties leaves it out, and its id alone says nothing to a nurse."""
    specialty = await rows.specialty(connection, seed.sant.id, name="Urología", is_active=False)
    await connection.execute(f"UPDATE {table} SET specialty_id = $1 WHERE clinic_id = $2", specialty, seed.sant.id)
    viewer, superuser = await sign_in(seed.sant.viewer), await sign_in(seed.superuser)

    async def named() -> set[str]:
        of_clinic = (await viewer.get(path)).json()["items"]
        of_network = (await superuser.get(path)).json()["items"]
        beside = [item for item in of_network if item["clinic_id"] == seed.sant.id]
        of_specialty = (await viewer.get("/v1/surgeries", params={"specialty_id": specialty})).json()["items"]
        assert of_clinic == beside
        assert {item["specialty_id"] for item in of_clinic} == {specialty}
        return {item["specialty_name"] for item in (*of_clinic, *beside, *of_specialty)}

    assert specialty not in [item["id"] for item in (await viewer.get("/v1/specialties")).json()["items"]]
    assert await named() == {"Urología"}
    # Answers are cached, and the name is another row's.
    await superuser.patch(f"/v1/specialties/{specialty}", json={"name": "Urología infantil"})
    assert await named() == {"Urología infantil"}
