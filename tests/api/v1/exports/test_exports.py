"""Exports over HTTP: who gets which tickets, what is recorded, and what a client sees that leaves or is cut off."""

import asyncio
import csv
import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from fastapi import FastAPI
from openpyxl import load_workbook
from starlette.requests import ClientDisconnect

from api.v1.exports import download
from core.exports import child_process
from core.settings import Settings
from tests.conftest import SignIn
from tests.factories import rows, stays
from tests.factories.fixtures import ClinicSeed, Seed
from tests.support import machine

CSV = "/v1/exports/tickets.csv"
XLSX = "/v1/exports/tickets.xlsx"
FULL = "/v1/exports/full.zip"
MEDIA = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FULL: "application/zip",
}


def of_csv(made: bytes) -> list[str]:
    return [row["id"] for row in csv.DictReader(io.StringIO(made.decode("utf-8-sig"), newline=""))]


def of_xlsx(made: bytes) -> list[str]:
    sheet = load_workbook(io.BytesIO(made), read_only=True).worksheets[0]
    return [str(row[0]) for row in sheet.iter_rows(min_row=2, max_col=1, values_only=True)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """For tests that export again and again."""
    return settings.model_copy(update={"export_limit": "1000/hour"})


READ: dict[str, Callable[[bytes], list[str]]] = {CSV: of_csv, XLSX: of_xlsx}


async def exported(client: httpx.AsyncClient, path: str, **parameters: Any) -> list[str]:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return READ[path](answer.content)


async def listed(client: httpx.AsyncClient, **parameters: Any) -> list[str]:
    answer = await client.get("/v1/tickets", params=parameters | {"limit": 200})
    assert answer.status_code == 200, answer.text
    assert answer.json()["next"] is None
    return [item["id"] for item in answer.json()["items"]]


async def two_wards(connection: rows.Connection, seed: Seed, number: int = 150) -> None:
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    # A little off, so that no ticket's state changes while it is looked at.
    soon = now + timedelta(minutes=5)
    await stays.insert(connection, stays.at_random(random.Random(7), [seed.sant, seed.maga], soon, number))


@pytest.mark.parametrize("username", ["admin_sant", pytest.param("superuser", marks=pytest.mark.long)])
async def test_the_filters_are_the_lists(
    sign_in: SignIn, seed: Seed, connection: rows.Connection, username: str
) -> None:
    await two_wards(connection, seed)
    client = await sign_in(username)
    today = datetime.now(UTC).date()
    surgery = await rows.surgery(connection, seed.sant.id, seed.sant.specialty_id)
    await connection.execute(
        "UPDATE ticket SET surgery_id = $1, created_by_id = (SELECT id FROM app_user WHERE username = $2)"
        " WHERE clinic_id = $3 AND number % 3 = 0",
        surgery, username, seed.sant.id,
    )  # fmt: skip
    found = 0
    for parameters in (
        {},
        {"status": "discharged"},
        {"state": "critical"},
        {"state": "overdue", "status": "active"},
        {"q": "nuñez"},
        {"q": "JOSE piso"},
        {"q": "100%"},
        {"surgery_id": surgery},
        {"created_by_me": "true"},
        {"date_from": str(today - timedelta(days=3)), "date_to": str(today - timedelta(days=1))},
        {"date_from": str(today - timedelta(days=3)), "state": "annulled", "q": "rojas"},
        {"clinic_id": seed.sant.id, "state": "normal"},
        {"figure": "near_deadline"},
        {"figure": "hours_lost"},
        {"figure": "on_time_rate", "surgery_id": surgery},
    ):
        expected = await listed(client, **parameters)
        ids = await exported(client, CSV, **parameters)
        assert sorted(ids) == sorted(expected), parameters
        found += bool(ids)
    assert found > 9
    assert await exported(client, XLSX, q="nuñez") == await exported(client, CSV, q="nuñez")


@pytest.mark.parametrize("path", [CSV, XLSX])
async def test_a_clinics_own_tickets_and_no_other(
    sign_in: SignIn, seed: Seed, connection: rows.Connection, path: str
) -> None:
    await two_wards(connection, seed, 40)
    own = {clinic.prefix: await of_clinic(connection, clinic) for clinic in (seed.sant, seed.maga)}
    admin, superuser = await sign_in("admin_sant"), await sign_in("superuser")
    assert set(await exported(admin, path)) == own["SANT"]
    assert set(await exported(admin, path, clinic_id=seed.sant.id)) == own["SANT"]
    assert set(await exported(superuser, path, clinic_id=seed.maga.id)) == own["MAGA"]
    assert set(await exported(superuser, path)) == own["SANT"] | own["MAGA"]
    foreign_surgery = {"surgery_id": seed.maga.surgery_id}
    for parameters in ({"clinic_id": seed.maga.id}, foreign_surgery, foreign_surgery | {"state": "gone"}):
        answer = await admin.get(path, params=parameters)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await superuser.get(path, params={"clinic_id": 999})).status_code == 404


async def of_clinic(connection: rows.Connection, clinic: ClinicSeed) -> set[str]:
    return {row["id"] for row in await connection.fetch("SELECT id FROM ticket WHERE clinic_id = $1", clinic.id)}


@pytest.mark.parametrize(
    ("parameters", "path", "code"),
    [
        ({"state": "gone"}, "state", "enum"),
        ({"limit": 5}, "limit", "unknown_field"),
        ({"cursor": "x"}, "cursor", "unknown_field"),
        ({"sort": "patient"}, "sort", "unknown_field"),
        ({"date_from": "2026-02-02", "date_to": "2026-02-01"}, "date_to", "before_date_from"),
    ],
)
async def test_what_is_refused(sign_in: SignIn, seed: Seed, parameters: dict[str, Any], path: str, code: str) -> None:
    admin = await sign_in("admin_sant")
    answer = await admin.get(CSV, params=parameters)
    assert answer.status_code == 422
    assert [(one["path"], one["code"]) for one in answer.json()["errors"]] == [(path, code)]


async def test_it_is_a_file_that_nobody_stores(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    today = await connection.fetchval("SELECT (now() AT TIME ZONE 'America/Santiago')::date::text")
    admin, superuser = await sign_in("admin_sant"), await sign_in("superuser")
    for client, path, name in (
        (admin, CSV, f"tickets-SANT-{today}.csv"),
        (admin, XLSX, f"tickets-SANT-{today}.xlsx"),
        (superuser, CSV, f"tickets-network-{today}.csv"),
        (superuser, FULL, f"full-network-{today}.zip"),
    ):
        answer = await client.get(path)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Type"] == MEDIA[path]
        assert "ETag" not in answer.headers


async def test_the_full_zip_over_http(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    await two_wards(connection, seed, 20)
    answer = await (await sign_in("superuser")).get(FULL)
    with ZipFile(io.BytesIO(answer.content)) as packed:
        manifest = json.loads(packed.read("manifest.json"))
        assert manifest["rows"]["ticket"] == 20
        assert "user_session.csv" not in packed.namelist()
        assert b"argon2" not in b"".join(packed.read(name) for name in packed.namelist())


async def audit(connection: rows.Connection) -> list[tuple[Any, ...]]:
    found = await connection.fetch(
        "SELECT username, clinic_id, action, target_type, target_id, changes FROM action_audit ORDER BY id"
    )
    return [(*tuple(row)[:-1], json.loads(row["changes"])) for row in found]


async def test_who_exported_what_is_on_record(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    await two_wards(connection, seed, 30)
    admin = await sign_in("admin_sant")
    made = await exported(admin, CSV, q="rojas", status="active")
    answer = await (await sign_in("superuser")).get(FULL)
    of_csv, of_zip = ("export", "tickets.csv"), ("export", "full.zip")
    started, ended, full_started, full_ended = await audit(connection)
    assert started == (
        "admin_sant", seed.sant.id, "export.started", *of_csv,
        {"filters": [None, {"words": ["rojas"], "status": "active"}]},
    )  # fmt: skip
    assert ended[:5] == ("admin_sant", seed.sant.id, "export.ended", *of_csv)
    assert ended[5]["rows"] == [None, len(made)]
    assert ended[5]["complete"] == [None, True]
    assert full_started == ("superuser", None, "export.started", *of_zip, {"filters": [None, {}]})
    assert full_ended[5]["bytes"] == [None, len(answer.content)]


async def test_what_was_refused_left_nothing_on_record(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    admin = await sign_in("admin_sant")
    for parameters in ({"clinic_id": seed.maga.id}, {"state": "gone"}, {"surgery_id": seed.maga.surgery_id}):
        await admin.get(CSV, params=parameters)
    assert await audit(connection) == []


class Reader:
    """A client at the application's door, that reads as slowly as it likes, and may leave."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, path: str) -> None:
        self._app = app
        self._left = asyncio.Event()
        self._sent = False
        self.patience = asyncio.Event()
        """Until it is set, no further byte is taken."""
        self.messages: list[Any] = []
        self.first = asyncio.Event()
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"authorization", client.headers["Authorization"].encode()), (b"host", b"ticket-home.test")],
            "client": ("127.0.0.1", 1),
            "server": ("ticket-home.test", 80),
        }

    async def receive(self) -> dict[str, Any]:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.messages.append(message)
        if message.get("body"):
            self.first.set()
            await self.patience.wait()

    def leave(self) -> None:
        self._left.set()

    def ask(self) -> "asyncio.Task[None]":
        return asyncio.ensure_future(self._app(self._scope, self.receive, self.send))

    @property
    def is_whole(self) -> bool:
        return bool(self.messages) and self.messages[-1].get("more_body") is False


def children() -> list[int]:
    """Processes that make exports, begun by this one."""
    me = str(Path("/proc/self").resolve().name)
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(")")[2].split()[1]
            if parent == me and b"core.exports.child" in (stat.parent / "cmdline").read_bytes():
                found.append(int(stat.parent.name))
        except (OSError, IndexError):
            continue
    return found


async def many(connection: rows.Connection, clinic: ClinicSeed, number: int) -> None:
    await connection.execute(
        """INSERT INTO ticket (id, clinic_id, year, number, patient_id, surgery_id, surgery_name, surgery_base_hours,
             surgery_at, admission_at, system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays,
             created_by)
           SELECT 'TH-' || $2 || '-2020-' || n, $1, 2020, n, $3, $4, 'S', 24, t, t, t, t, t, 0, 0, 'x'
           FROM generate_series(1, $5::integer) n, now() t""",
        clinic.id, clinic.prefix, clinic.patient_id, clinic.surgery_id, number,
    )  # fmt: skip


async def test_the_first_bytes_of_a_csv_come_within_a_second(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    """Of many tickets as of few; a busy machine gets a second try."""
    await many(connection, seed.sant, 20_000)
    client = await sign_in("admin_sant")
    quick = []
    for _ in range(3):
        reader = Reader(app, client, CSV)
        began = machine.now()
        asking = reader.ask()
        await reader.first.wait()
        quick.append(machine.now() - began < machine.bound(1.0, began))
        assert not reader.is_whole
        reader.leave()
        await asking
    assert any(quick)


async def test_a_client_that_leaves_ends_the_work(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    await many(connection, seed.sant, 20_000)
    reader = Reader(app, await sign_in("admin_sant"), CSV)
    asking = reader.ask()
    await reader.first.wait()
    assert len(children()) == 1
    reader.leave()
    await asking
    assert children() == []
    assert not reader.is_whole

    async def is_written() -> bool:
        return len(await audit(connection)) == 2

    await machine.until(is_written)
    audits = await audit(connection)
    assert audits[1][2] == "export.ended"
    assert audits[1][5]["complete"] == [None, False]
    assert audits[1][5]["rows"] == [None, None]


async def test_a_client_that_leaves_before_the_first_byte_ends_the_work_too(
    app: FastAPI,
    sign_in: SignIn,
    seed: Seed,
    connection: rows.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A workbook is sent when it is whole."""
    await many(connection, seed.sant, 20_000)
    reader = Reader(app, await sign_in("admin_sant"), XLSX)
    asking = reader.ask()
    await machine.until(children)
    reader.leave()
    await asking
    assert children() == []
    assert reader.messages == []
    assert '"route":"/v1/exports/tickets.xlsx","status":499' in capsys.readouterr().out


async def test_a_client_that_reads_nothing_loses_its_place(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "STALLED", 0.3)
    await many(connection, seed.sant, 20_000)
    reader = Reader(app, await sign_in("admin_sant"), CSV)
    with pytest.raises(ClientDisconnect):
        await reader.ask()
    assert children() == []
    assert not reader.is_whole


async def test_a_fault_before_the_first_byte_is_a_problem(
    sign_in: SignIn, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await sign_in("admin_sant")
    monkeypatch.setattr(child_process, "COMMAND", ("false",))
    answer = await client.get(CSV)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_too_many_at_once_are_told_to_come_again(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "TURN", 0.1)
    await many(connection, seed.sant, 20_000)
    client = await sign_in("admin_sant")
    readers = [Reader(app, client, CSV) for _ in range(child_process.AT_ONCE)]
    asking = [reader.ask() for reader in readers]
    for reader in readers:
        await reader.first.wait()
    answer = await client.get(CSV)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 0
    for reader in readers:
        reader.leave()
    await asyncio.gather(*asking)
    assert (await client.get(CSV, params={"state": "annulled"})).status_code == 200
