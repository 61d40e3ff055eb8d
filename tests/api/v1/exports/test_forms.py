"""What an export looks like to whom: a viewer's, a program's, a person's; and how many of them."""

import csv
import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.core.exports.tickets import full_ticket
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import signing_in

CSV = "/v1/exports/tickets.csv"
XLSX = "/v1/exports/tickets.xlsx"
FULL = "/v1/exports/full.zip"


def of_workbook(made: bytes) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(made), read_only=True).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


TABLE: dict[str, Callable[[bytes], list[list[Any]]]] = {
    CSV: lambda made: list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""))),
    XLSX: of_workbook,
}
EN = {"lang": "en"}
DEFAULT_LIMIT = Settings.model_fields["export_limit"].default


@pytest.mark.parametrize("path", [CSV, XLSX, FULL])
async def test_every_user_of_the_clinic_exports_its_tickets_and_a_superuser_all(
    client: httpx.AsyncClient, sign_in: SignIn, seed: Seed, path: str
) -> None:
    assert (await client.get(path)).status_code == 401
    for role in ("viewer", "clinical", "admin"):
        answer = await (await sign_in(f"{role}_sant")).get(path)
        assert answer.status_code == (403 if path == FULL else 200), role
    assert (await (await sign_in("superuser")).get(path)).status_code == 200
    display = {"username": "viewer_sant", "password": rows.PASSWORD, "client": "display"}
    token = (await client.post("/v1/auth/login", json=display)).json()["token"]
    assert (await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code == 403


async def test_a_viewers_file_has_no_document_and_age_in_decades(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    ticket = await full_ticket(connection, seed)
    found = {}
    for role in ("viewer", "clinical", "admin"):
        client = await sign_in(f"{role}_sant")
        for path, lang in ((CSV, "en"), (CSV, "es"), (XLSX, "en")):
            answer = await client.get(path, params={"lang": lang})
            table = TABLE[path](answer.content)
            found[role, path, lang] = dict(zip(table[0], map(str, table[1]), strict=True))
            assert ticket in table[1]
            assert ("12345678-5" in map(str, table[1])) is (role != "viewer"), (role, path, lang)
    of_documents = {"document_type", "document", "document_verified"}
    for path in (CSV, XLSX):
        viewers, admins = found["viewer", path, "en"], found["admin", path, "en"]
        assert admins.keys() - viewers.keys() == of_documents | {"age"}
        assert (viewers["age_decade"], admins["age"], viewers["last_name"]) == ("40", "40", "Núñez")
        assert found["clinical", path, "en"] == admins
    await connection.execute("UPDATE patient SET age = 89")
    (_, row) = TABLE[CSV]((await (await sign_in("viewer_sant")).get(CSV)).content)
    assert "80" in row
    assert "89" not in row


async def test_a_user_begins_ten_exports_an_hour_whichever_process_answers(settings: Settings, seed: Seed) -> None:
    few = settings.model_copy(update={"export_limit": "3/hour"})
    async with running(few) as (_, here), running(few) as (_, there):
        for client in (here, there):
            await signing_in.sign_in(client, "viewer_sant")
        # What is refused is not counted.
        assert (await here.get(CSV, params={"state": "gone"})).status_code == 422
        assert (await here.get(FULL)).status_code == 403
        answers = [await client.get(path) for client, path in ((here, CSV), (there, CSV), (here, XLSX), (there, XLSX))]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].json()["code"] == "too_many_attempts"
        # Of that hour what is left of it, so that whoever waits as long gets their file.
        assert 3000 < int(answers[-1].headers["retry-after"]) <= 3600
        assert (await here.get("/v1/tickets")).status_code == 200
        await signing_in.sign_in(there, "admin_sant")
        assert (await there.get(CSV)).status_code == 200
    assert DEFAULT_LIMIT == "10/hour"


async def test_a_csv_keeps_its_names_unless_it_is_asked_for_in_spanish(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    """Programs read those; people open what Excel splits at semicolons."""
    await full_ticket(connection, seed)
    client = await sign_in("admin_sant")
    plain = (await client.get(CSV)).content.decode("utf-8-sig")
    assert plain.startswith("id,clinic,status,state,document_type,document,document_verified,first_name,")
    assert ",discharged," in plain
    assert plain == (await client.get(CSV, params={"lang": "en"})).content.decode("utf-8-sig")
    spanish = (await client.get(CSV, params={"lang": "es"})).content.decode("utf-8-sig")
    assert spanish.startswith("Ticket,Clínica,Estado,Situación,Tipo de documento,")
    assert ",Alta,Alta,RUT," in spanish
    assert "2025-01-15T14:30:00-03:00" in spanish
    excel = (await client.get(CSV, params={"dialect": "excel"})).content
    assert excel.startswith(b"\xef\xbb\xbfTicket;Cl\xc3\xadnica;")
    head, row = csv.reader(io.StringIO(excel.decode("utf-8-sig"), newline=""), delimiter=";")
    found = dict(zip(head, row, strict=True))
    assert found["Fecha de cirugía"] == "2025-01-15 14:30:00"
    assert (found["Documento verificado"], found["Alta supuesta"], found["Estado"]) == ("sí", "no", "Alta")
    # What came later stands beside what it belongs to.
    assert head[head.index("Cirugía") + 1] == "Especialidad"
    at = head.index("Modificación 1: FPA nueva")
    assert (head[at + 1], row[at + 1]) == ("Modificación 1: bloque", "13:00 - 15:00")
    in_english = (await client.get(CSV, params={"dialect": "excel", "lang": "en"})).content.decode("utf-8-sig")
    assert in_english.startswith("id;clinic;status;")
    for refused in ({"dialect": "unix"}, {"lang": "de"}):
        assert (await client.get(CSV, params=refused)).status_code == 422


async def test_a_workbook_is_spanish_unless_it_is_asked_for_in_english(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    await full_ticket(connection, seed)
    client = await sign_in("admin_sant")
    (head, row), (english, same) = [of_workbook((await client.get(XLSX, params=lang)).content) for lang in ({}, EN)]
    assert head[:5] == ["Ticket", "Clínica", "Estado", "Situación", "Tipo de documento"]
    assert row[:5] == ["TH-SANT-2025-001", "SANT", "Alta", "Alta", "RUT"]
    assert english[:5] == ["id", "clinic", "status", "state", "document_type"]
    assert len(head) == len(set(head)) == len(english)
    flags = {"True": "sí", "False": "no"}
    assert sorted(map(str, row[5:])) == sorted(flags.get(str(value), str(value)) for value in same[5:])
    assert (await client.get(XLSX, params={"dialect": "excel"})).status_code == 422
