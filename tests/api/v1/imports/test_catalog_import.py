"""A catalog's file over HTTP: the command's own report, all or nothing, a dry run that tells what a run does."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.cli.actor import OPERATOR
from core.catalogs.imports.child_process import FileReader
from core.catalogs.imports.file import File
from core.catalogs.imports.report import NoCatalog
from core.catalogs.imports.run import import_catalog
from core.catalogs.imports.saying import Saying
from core.catalogs.imports.sheets import read_file
from core.catalogs.imports.views import view_of
from core.catalogs.imports.wire import Received, lines_of
from core.db.transaction import Database
from tests.api.v1.imports.files import FILES, REFUSED
from tests.conftest import SignIn
from tests.core.catalogs.imports.a_catalog import xlsx
from tests.core.catalogs.imports.imported import catalog
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes, outcome, refusal
from tests.support.audit import audits
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]

PATH = "/v1/imports/catalog"
UROLOGY = b"name\nUrolog\xc3\xada\n"
Report = dict[str, Any]
Send = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process for each file takes longer than all else that a test asks. What it would say is said in its words."""

    async def read(_: FileReader, content: bytes, name: str) -> File:
        received = Received()
        for line in lines_of(read_file(content, name)):
            received.take(line)
        return received.file

    monkeypatch.setattr(FileReader, "read", read)


@pytest.fixture
async def send(sign_in: SignIn, seed: Seed, read_here: None) -> Send:
    """`await send(content, dry_run=True)`: a superuser's, for the first clinic."""
    superuser = await sign_in(seed.superuser)

    async def sent(content: bytes, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        asked = {"clinic_id": seed.sant.id} | query
        return await superuser.post(PATH, content=content, params=asked, headers=headers)

    return sent


async def everything(connection: rows.Connection) -> list[Any]:
    """What an import could leave."""
    tables = ("specialty", "surgery", "doctor", "standardized_reason", "action_audit", "cache_version")
    return [await connection.fetch(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


async def test_the_report_is_the_commands_and_a_dry_run_tells_what_a_run_does(
    send: Send, database: Database, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    """Of each kind of file, one after the other: the command brings it into another clinic, which has the same."""
    for make in FILES:
        path = make(tmp_path)
        before = await everything(connection)
        tried = await send(path.read_bytes(), filename=path.name, dry_run=True)
        assert tried.status_code == 200, (path, tried.text)
        assert await everything(connection) == before
        assert "cache-version" not in tried.headers
        told = await import_catalog(database, OPERATOR, seed.maga.prefix, path)
        expected = view_of(told, seed.sant.id, dry_run=True).model_dump(mode="json")
        assert tried.json() == expected, make
        answer = await send(path.read_bytes(), filename=path.name)
        if expected["problems"]:
            assert refusal(answer) == (422, "catalog_refused")
            assert answer.json()["report"] == expected | {"dry_run": False}
            named = [(f"{one['sheet']}.{one['row']}.{one['column'] or ''}", "invalid") for one in expected["problems"]]
            assert codes(answer) == named[:20]
            said = [str(Saying(one["code"], one["values"])) for one in expected["problems"]]
            assert said == [one["message"] for one in expected["problems"]]
            assert await catalog(connection, seed.sant.id) == await catalog(connection, seed.maga.id)
        else:
            assert answer.status_code == 200, answer.text
            assert answer.json() == expected | {"dry_run": False, "imported": True}
            assert await catalog(connection, seed.sant.id) == await catalog(connection, seed.maga.id), make


async def test_a_file_that_is_none_is_refused_as_the_command_refuses_it(
    send: Send, database: Database, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    before = await everything(connection)
    for name, content in REFUSED:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(NoCatalog) as told:
            await import_catalog(database, OPERATOR, seed.sant.prefix, path)
        answer = await send(content, filename=name)
        assert refusal(answer) == (422, "no_catalog"), content
        assert answer.json()["detail"] == str(told.value)
        assert codes(answer) == [("body", "no_catalog")]
        reason, values = answer.json()["reason"], answer.json()["values"]
        assert str(Saying(reason, values)) == answer.json()["detail"]
    assert await everything(connection) == before


async def test_a_run_is_audited_and_every_list_has_its_rows_at_once(
    sign_in: SignIn, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    for kind in ("specialties", "surgeries", "doctors", "reasons"):
        await viewer.get(f"/v1/{kind}")
        assert outcome(await viewer.get(f"/v1/{kind}")) == "hit"
    superuser = await sign_in(seed.superuser)
    answer = await superuser.post(PATH, content=xlsx(tmp_path).read_bytes(), params={"clinic_id": seed.sant.id})
    assert answer.status_code == 200, answer.text
    assert f"{seed.sant.id}/catalogs=" in answer.headers["cache-version"]
    assert (answer.headers["cache-control"], "cache-status" in answer.headers) == ("no-store", False)
    for kind, name in (("specialties", "Urología"), ("surgeries", "Circuncisión"), ("doctors", "Dra. Muñoz")):
        assert name in [one["name"] for one in (await viewer.get(f"/v1/{kind}")).json()["items"]]
    assert "Dolor" in [one["reason"] for one in (await viewer.get("/v1/reasons")).json()["items"]]
    found = await audits(connection)
    assert len(found) == 8
    assert {(one["username"], one["clinic_id"], one["request_id"]) for one in found} == {
        (seed.superuser, seed.sant.id, answer.headers["x-request-id"])
    }


async def test_the_same_key_imports_once_and_neither_another_file_nor_another_query_has_it(
    send: Send, connection: rows.Connection, seed: Seed
) -> None:
    key = {"Idempotency-Key": "a-key"}
    tried = await send(UROLOGY, {"Idempotency-Key": "another"}, dry_run=True)
    assert tried.json()["kinds"][0]["created"] == 1
    first = await send(UROLOGY, key)
    again = await send(UROLOGY, key)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert first.json()["kinds"] == [{"kind": "specialties", "created": 1, "updated": 0, "unchanged": 0}]
    for content, query in (
        (b"name\nOther\n", {}),
        (UROLOGY, {"dry_run": True}),
        (UROLOGY, {"clinic_id": seed.maga.id}),
    ):
        assert refusal(await send(content, key, **query)) == (409, "idempotency_mismatch")
    assert len(await audits(connection, "specialty.created")) == 1
    # Only what was done is kept: a file that was refused may come again once what it refers to is there.
    surgery = b"name,specialty,base_stay_hours\nNefrectom\xc3\xada,Nefrolog\xc3\xada,24\n"
    assert refusal(await send(surgery, {"Idempotency-Key": "third"})) == (422, "catalog_refused")
    await send(b"name\nNefrolog\xc3\xada\n")
    assert (await send(surgery, {"Idempotency-Key": "third"})).status_code == 200


TAKEN = [
    *("", "text/csv", "text/csv; charset=windows-1252", "TEXT/CSV", "application/octet-stream", "text/plain"),
    *("application/vnd.ms-excel", "application/x-www-form-urlencoded"),
]
NOT_TAKEN = [
    *("application/json", "multipart/form-data; boundary=x", "text/html", "image/png", "application/zip"),
    *("application/pdf", "text/csv, text/html", "csv"),
]


async def test_what_a_file_is_said_to_be_is_a_file_or_nothing(send: Send) -> None:
    for said in TAKEN:
        answer = await send(UROLOGY, {"Content-Type": said} if said else None, dry_run=True)
        assert answer.status_code == 200, (said, answer.text)
    for said in NOT_TAKEN:
        answer = await send(UROLOGY, {"Content-Type": said}, dry_run=True)
        assert refusal(answer) == (415, "unsupported_file_type"), said
    for packing in ("gzip", "br", "identity, gzip"):
        answer = await send(UROLOGY, {"Content-Type": "text/csv", "Content-Encoding": packing})
        assert refusal(answer) == (415, "unsupported_file_type"), packing


async def test_what_is_refused_is_told_in_the_contracts_order(
    send: Send, sign_in: SignIn, client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    bad, unknown = {"Content-Type": "image/png"}, {"clinic_id": 2_000_000_000}
    before = await everything(connection)
    assert (await client.post(PATH, content=UROLOGY, headers=bad)).status_code == 401
    for name in (seed.sant.viewer, seed.sant.clinical, seed.sant.admin):
        user = await sign_in(name)
        asked = await user.post(PATH, content=UROLOGY, params={"clinic_id": seed.sant.id}, headers=bad)
        assert refusal(asked) == (403, "forbidden")
    # An unknown clinic comes before whatever else is wrong, and is one where nothing is.
    for query in ({}, {"colour": "red"}, {"dry_run": "perhaps"}):
        for content, headers in ((UROLOGY, None), (UROLOGY, bad), (b"PK\x03\x04", None), (b"name\n\n", None)):
            assert refusal(await send(content, headers, **unknown, **query)) == (404, "not_found"), (query, content)
    assert codes(await send(UROLOGY, colour="red")) == [("colour", "unknown_field")]
    assert codes(await send(UROLOGY, clinic_id="")) == [("clinic_id", "invalid")]
    assert codes(await send(UROLOGY, dry_run="perhaps")) == [("dry_run", "bool_parsing")]
    assert codes(await send(UROLOGY, filename="x" * 256)) == [("filename", "too_long")]
    assert codes(await send(UROLOGY, {"Idempotency-Key": "a b"})) == [("Idempotency-Key", "invalid")]
    assert refusal(await send(b"name\n" + b"a" * 2**20)) == (413, "body_too_large")
    superuser = await sign_in(seed.superuser)
    assert codes(await superuser.post(PATH, content=UROLOGY)) == [("clinic_id", "required")]
    assert await everything(connection) == before


async def test_a_page_of_another_site_imports_nothing(
    client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    """A form there could send what looks like a file, with the cookie that the browser has."""
    login = {"username": seed.superuser, "password": rows.PASSWORD, "client": "web"}
    own = {"Origin": str(client.base_url)}
    assert (await client.post("/v1/auth/login", json=login, headers=own)).status_code == 200
    asked = {"clinic_id": seed.sant.id}
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        sent = {"Content-Type": "text/plain"} | headers
        assert refusal(await client.post(PATH, content=UROLOGY, params=asked, headers=sent)) == (403, "cross_origin")
    assert await audits(connection) == []
    assert (await client.post(PATH, content=UROLOGY, params=asked, headers=own)).status_code == 200


async def test_of_very_many_problems_a_thousand_are_told(send: Send) -> None:
    content = b"name,rut\n" + b"".join(b"Dr. %d,1-9\n" % number for number in range(3000))
    answer = await send(content, filename="doctors.csv", dry_run=True)
    report = answer.json()
    assert (report["imported"], report["problems_total"], len(report["problems"])) == (False, 3000, 1000)
    assert report["problems"][999]["row"] == 1001
    assert len(json.dumps(report)) < 200_000
