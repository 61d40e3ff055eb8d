"""GET /v1/nursing-board for a wall display: initials only, and nothing else of anybody leaves the database for it."""

import httpx
import pytest
from fastapi import FastAPI

from core.access import ClinicScope
from core.board.display import DISPLAYED, DisplayedTicket
from core.board.query import BoardQuery, board_statement
from core.runtime import Runtime
from core.tickets.reads.pages import Turn
from tests.api.v1.nursing_board.conftest import PATH, SignIn, get, ids, make, pages
from tests.conftest import BASE_URL
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.signing_in import LOGIN, credentials

SECRETS = ("Íñigo", "Ñandú", "Lagos", "Soto", "P9988776", "Dra. Ruiz", "Cadera", "Fiebre", "39°", "nurse", "EP-7")


@pytest.fixture
async def display(app: FastAPI, seed: Seed) -> httpx.AsyncClient:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL)
    token = (await client.post(LOGIN, json=credentials(seed.sant.viewer, client="display"))).json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


async def whole_ticket(connection: rows.Connection, seed: Seed) -> str:
    """With SECRETS in everything that has a name, a document or a note."""
    patient = await rows.patient(
        connection, seed.sant.id, document="P9988776", first_name="Íñigo", middle_name="Lagos", last_name="Ñandú",
        second_last_name="Soto",
    )  # fmt: skip
    await connection.execute("UPDATE doctor SET name = 'Dra. Ruiz' WHERE id = $1", seed.sant.doctor_id)
    ticket = await make(
        connection, seed.sant, doctor_id=seed.sant.doctor_id, surgery_name="Cadera",
        bed_number="12-B", location="Piso 3", episode_id="EP-7", created_by="nurse",
    )  # fmt: skip
    await connection.execute("UPDATE ticket SET patient_id = $1 WHERE id = $2", patient, ticket)
    note = {"reason": "Fiebre", "justification": "39°", "modified_by": "nurse"}
    await rows.modification(connection, seed.sant.id, ticket, **note)
    return ticket


async def test_a_display_gets_initials_and_no_name_document_or_note(
    display: httpx.AsyncClient, viewer: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    bare, ticket = await make(connection, seed.sant, hours=30), await whole_ticket(connection, seed)
    await connection.execute("UPDATE ticket SET patient_id = NULL, imported = true WHERE id = $1", bare)
    # In the same second, either of them first: neither is answered with the other's.
    for _ in range(2):
        whole, shown = await viewer.get(PATH), await display.get(PATH)
        assert not [secret for secret in SECRETS if secret not in whole.text]
        assert not [secret for secret in SECRETS if secret in shown.text]
    board, ward = shown.json(), whole.json()
    (item, unknown), (same, _) = board["items"], ward["items"]
    assert item.keys() == set(DisplayedTicket.model_fields)
    assert (item["id"], item["initials"], item["bed_number"], item["location"]) == (ticket, "Í.Ñ.", "12-B", "Piso 3")
    alike = item.keys() - {"initials", "ready", "seconds_left"}
    assert {name: item[name] for name in alike} == {name: same[name] for name in alike}
    assert item["ready"] is False
    assert board.keys() == ward.keys()
    assert board["counts"] == ward["counts"]
    assert (unknown["id"], unknown["initials"]) == (bare, None)


def test_nothing_else_is_read_for_it(seed: Seed) -> None:
    read = board_statement(ClinicScope(seed.sant.id), BoardQuery(Turn("urgency")), DISPLAYED)
    names = {column.name for column in read.selected_columns}
    of_whole = {name for name in names if name.startswith(("fact__", "key_"))}
    assert names - of_whole == {
        *("id", "clinic_id", "status", "admission_at", "current_fpa", "bed_number", "location", "ready", "initials"),
        *("timezone", "red_hours", "yellow_hours", "green_hours"),
    }
    assert {name for name in of_whole if name.startswith("fact__")} == {
        *("fact__now", "fact__timezone", "fact__known", "fact__total", "fact__counts", "fact__locations"),
        *("fact__thresholds", "fact__inherited"),
    }


async def test_a_display_neither_searches_nor_filters_by_what_it_is_not_shown(
    display: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    """A search for a name that finds a bed tells whose it is."""
    ticket = await whole_ticket(connection, seed)
    for allowed in (
        {"view": "all"},
        {"location": "piso 3"},
        {"sort": "bed"},
        {"limit": 1},
        {"clinic_id": seed.sant.id},
    ):
        assert ids(await get(display, **allowed)) == [ticket], allowed
    for refused in (
        *({"q": "iñigo"}, {"urgency": "normal"}, {"surgery_id": 1}, {"doctor_id": 1}, {"specialty_id": 1}),
        *({"date_from": "2026-01-01"}, {"fpa_to": "2026-01-01"}, {"surgery_from": "2026-01-01"}, {"nonsense": 1}),
        *({"sort": "doctor"}, {"sort": "-doctor"}),
    ):
        answer = await display.get(PATH, params=refused)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), refused
    assert (await display.get(PATH, params={"clinic_id": seed.maga.id})).status_code == 404


async def test_a_display_turns_its_own_pages(
    app: FastAPI, display: httpx.AsyncClient, viewer: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    made = [await make(connection, seed.sant, hours=20 + n) for n in range(5)]
    found = [ids(page) async for page in pages(display, limit=2)]
    assert [ticket for page in found for ticket in page] == made
    theirs = (await get(viewer, limit=2))["next"]
    assert (await display.get(PATH, params={"limit": 2, "cursor": theirs})).status_code == 422
    runtime: Runtime = app.state.runtime
    assert len(runtime.unstored) == 0


async def test_the_wards_board_stays_as_it_is_for_whoever_signs_in_otherwise(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    await whole_ticket(connection, seed)
    for username in (seed.sant.viewer, seed.sant.clinical, seed.sant.admin, seed.superuser):
        item = (await get(await sign_in(username), q="iñigo"))["items"][0]
        assert item["patient"]["last_name"] == "Ñandú", username
