"""A ticket's row in xlsx and csv: every column, clinic-local times, five modifications, no formula."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

from openpyxl import load_workbook

from core.access import ClinicScope
from core.exports.child.batches import FIRST, MORE
from core.exports.child.sheet import letters_of
from core.exports.columns import COLUMNS
from core.exports.job import Format
from tests.core.exports.conftest import Make
from tests.core.exports.tickets import EVIL, HOUR, SUMMER, full_ticket, many
from tests.factories import rows
from tests.factories.fixtures import Seed


def table(made: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made.decode("utf-8-sig"), newline="")))


def sheets(made: bytes) -> list[list[list[Any]]]:
    book = load_workbook(io.BytesIO(made))
    return [[list(row) for row in sheet.iter_rows()] for sheet in book.worksheets]


def named(sheet: list[list[Any]]) -> list[dict[str, Any]]:
    head = [cell.value for cell in sheet[0]]
    return [{name: cell for name, cell in zip(head, row, strict=True)} for row in sheet[1:]]  # noqa: C416  cells differ


async def test_every_column_of_the_csv(make: Make, seed: Seed, connection: rows.Connection) -> None:
    await full_ticket(connection, seed)
    doctor = await connection.fetchval("SELECT name FROM doctor WHERE id = $1", seed.sant.doctor_id)
    specialty = await connection.fetchval("SELECT name FROM specialty WHERE id = $1", seed.sant.specialty_id)
    (row,) = table(await make(Format.CSV))
    assert list(row) == [column.name for column in COLUMNS]
    filled = {name: value for name, value in row.items() if value}
    assert filled == {
        "id": "TH-SANT-2025-001",
        "clinic": "SANT",
        "status": "discharged",
        "state": "discharged",
        "document_type": "rut",
        "document": "12345678-5",
        "document_verified": "true",
        "first_name": "Íñigo",
        "middle_name": "José",
        "last_name": "Núñez",
        "second_last_name": "Soto",
        "age": "40",
        "sex": "M",
        "surgery": "Apendicectomía",
        "base_stay_hours": "24",
        "doctor": doctor,
        "surgery_at": "2025-01-15T14:30:00-03:00",
        "admission_at": "2025-01-15T12:30:00-03:00",
        "system_fpa": "2025-01-16T13:30:00-03:00",
        "initial_fpa": "2025-01-16T13:30:00-03:00",
        "initial_block": "12:00 - 14:00",
        "initial_overnight_stays": "1",
        "current_fpa": "2025-01-17T14:30:00-03:00",
        "current_block": "13:00 - 15:00",
        "overnight_stays": "2",
        "bed_number": "12-B",
        "location": "Piso 3",
        "episode_id": "E1",
        "discharged_at": "2025-01-17T15:30:00-03:00",
        "created_at": "2025-01-15T11:30:00-03:00",
        "created_by": "test",
        "modifications": "2",
        "modification_1_at": "2025-01-15T12:30:00-03:00",
        "modification_1_by": "nurse",
        "modification_1_previous_fpa": "2025-01-16T13:30:00-03:00",
        "modification_1_new_fpa": "2025-01-17T14:30:00-03:00",
        "modification_1_reason": "Fiebre 0",
        "modification_2_at": "2025-01-15T13:30:00-03:00",
        "modification_2_by": "nurse",
        "modification_2_previous_fpa": "2025-01-16T14:30:00-03:00",
        "modification_2_new_fpa": "2025-01-17T13:30:00-03:00",
        "modification_2_reason": "Fiebre 1",
        "modification_2_justification": "39°",
        "assumed": "false",
        "modification_1_block": "13:00 - 15:00",
        "modification_2_block": "12:00 - 14:00",
        "specialty": specialty,
        "ready_at": "2025-01-17T14:30:00-03:00",
        "ready_by": "nurse",
        "delays": "Espera de traslado; Caso social",
        "delay_minutes": "60; 3060",
    }


async def test_the_workbook_has_the_same_columns_of_their_own_types(
    make: Make, seed: Seed, connection: rows.Connection
) -> None:
    await full_ticket(connection, seed)
    (of_csv,) = table(await make(Format.CSV))
    (sheet,) = sheets(await make(Format.XLSX))
    (row,) = named(sheet)
    assert list(row) == [column.name for column in COLUMNS]
    assert {name for name, cell in row.items() if cell.value is not None} == {n for n, v in of_csv.items() if v}
    assert row["surgery_at"].value == datetime(2025, 1, 15, 14, 30)  # noqa: DTZ001  as Excel has it: local
    assert row["surgery_at"].is_date
    assert row["modification_2_new_fpa"].value == datetime(2025, 1, 17, 13, 30)  # noqa: DTZ001
    assert row["base_stay_hours"].value == 24
    assert row["document_verified"].value is True
    assert row["document"].value == "12345678-5"
    texts = {name: row[name].value for name, value in of_csv.items() if row[name].data_type in ("s", "inlineStr")}
    assert texts == {name: of_csv[name] for name in texts}


async def test_a_row_of_long_delays_is_as_high_as_they_are(make: Make, seed: Seed, connection: rows.Connection) -> None:
    ticket = await full_ticket(connection, seed)
    for height in (None, 60):
        sheet = load_workbook(io.BytesIO(await make(Format.XLSX))).active
        assert sheet is not None
        assert sheet.row_dimensions[2].height == height
        wrapped = {head.value for head, cell in zip(sheet[1], sheet[2], strict=True) if cell.alignment.wrap_text}
        assert wrapped == {"delays", "delay_minutes"}
        for number in range(2 if height is None else 0):
            reason = f"En espera de resultados de laboratorio y de imágenes {number}"
            reason_id = await rows.reason(connection, seed.sant.id, "delay", reason=reason)
            await rows.delay(connection, seed.sant.id, ticket, reason_id, reason=reason)


async def test_times_are_each_clinics_own(make: Make, seed: Seed, connection: rows.Connection) -> None:
    """Magallanes keeps to summer time when Santiago does not; a day has two 23:30."""
    winter = datetime(2025, 7, 15, 15, 30, tzinfo=UTC)
    for clinic in (seed.sant, seed.maga):
        await clinic.ticket(connection, fpa=winter)
    for instant in (datetime(2026, 4, 5, 2, 30, tzinfo=UTC), datetime(2026, 4, 5, 3, 30, tzinfo=UTC)):
        await seed.sant.ticket(connection, fpa=instant)
    assert [row["current_fpa"] for row in table(await make(Format.CSV))] == [
        "2025-07-15T11:30:00-04:00",
        "2026-04-04T23:30:00-03:00",
        "2026-04-04T23:30:00-04:00",
        "2025-07-15T12:30:00-03:00",
    ]
    (sheet,) = sheets(await make(Format.XLSX))
    fpas = [row["current_fpa"].value.isoformat() for row in named(sheet)]
    assert fpas == ["2025-07-15T11:30:00", "2026-04-04T23:30:00", "2026-04-04T23:30:00", "2025-07-15T12:30:00"]


async def test_up_to_five_modifications_and_how_many_there_were(
    make: Make, seed: Seed, connection: rows.Connection
) -> None:
    ticket = await seed.sant.ticket(connection)
    for number in range(7):
        await rows.modification(connection, seed.sant.id, ticket, reason=f"r{number}")
    (row,) = table(await make(Format.CSV))
    assert row["modifications"] == "7"
    assert [row[f"modification_{n}_reason"] for n in range(1, 6)] == ["r0", "r1", "r2", "r3", "r4"]


async def test_an_imported_ticket_without_patient_surgery_and_doctor(
    make: Make, seed: Seed, connection: rows.Connection
) -> None:
    await rows.ticket(connection, seed.sant.id, None, None, imported=True)  # type: ignore[arg-type]
    (row,) = table(await make(Format.CSV))
    assert (row["first_name"], row["document_verified"], row["doctor"]) == ("", "", "")
    (sheet,) = sheets(await make(Format.XLSX))
    assert named(sheet)[0]["first_name"].value is None


async def test_no_cell_starts_a_formula(make: Make, seed: Seed, connection: rows.Connection) -> None:
    """Whatever somebody typed, in every field that takes text."""
    patient = await rows.patient(
        connection, seed.sant.id, document=EVIL[:40], first_name=EVIL, middle_name="+1", last_name="-1",
        second_last_name="@x",
    )  # fmt: skip
    await connection.execute("UPDATE doctor SET name = $1", EVIL)
    ticket = await rows.ticket(
        connection, seed.sant.id, patient, seed.sant.surgery_id, doctor_id=seed.sant.doctor_id, surgery_name=EVIL,
        bed_number="=1", location="\t=1", episode_id=" =1", created_by=EVIL, status="annulled", annulment_reason=EVIL,
        annulled_by=EVIL, annulled_at=SUMMER,
    )  # fmt: skip
    await rows.modification(connection, seed.sant.id, ticket, reason=EVIL, justification="x;=1", modified_by="\r=1")
    (row,) = table(await make(Format.CSV))
    assert not [name for name, value in row.items() if value.lstrip("\"' \t\r\n").startswith(("=", "+", "-", "@"))
                and not value.startswith("'")]  # fmt: skip
    assert row["first_name"] == "'" + EVIL
    assert row["modification_1_justification"] == "x;'=1"
    (sheet,) = sheets(await make(Format.XLSX))
    (cells,) = named(sheet)
    assert cells["first_name"].value == EVIL
    assert cells["modification_1_reason"].value == EVIL
    assert {cell.data_type for cell in cells.values()} <= {"s", "inlineStr", "n", "b", "d"}


async def test_what_looks_like_the_workbooks_own_xml_is_a_text(
    make: Make, seed: Seed, connection: rows.Connection
) -> None:
    """XlsxWriter passes `<r>…</r>` through: with it a justification would close its cell and open a formula's."""
    breaks_out = '<r><t>x</t></r></is></c><c r="ZZ2"><f>1+1</f></c><c r="ZZ3" t="inlineStr"><is><r><t>y</t></r>'
    ticket = await seed.sant.ticket(connection, location="<r></b></r>")
    await rows.modification(connection, seed.sant.id, ticket, reason="<r>x</r>", justification=breaks_out)
    (sheet,) = sheets(await make(Format.XLSX))
    (row,) = named(sheet)
    assert row["location"].value == "<r></b></r>"
    assert row["modification_1_justification"].value == breaks_out
    assert len(sheet[0]) == len(COLUMNS)


def test_letters_of_columns() -> None:
    expected = {0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA"}
    assert {column: letters_of(column) for column in expected} == expected


async def test_control_characters_and_ends_of_lines_survive(
    make: Make, seed: Seed, connection: rows.Connection
) -> None:
    text = ' a\x01b\r\nc "d", _x0041_ ½ 漢 \U0001f600 <&>'
    ticket = await seed.sant.ticket(connection)
    await rows.modification(connection, seed.sant.id, ticket, justification=text)
    (row,) = table(await make(Format.CSV))
    assert row["modification_1_justification"] == text
    (sheet,) = sheets(await make(Format.XLSX))
    # openpyxl reads the escapes of control characters as they are.
    cell = named(sheet)[0]["modification_1_justification"].value
    assert cell.replace("_x005F_x0041_", "_x0041_").replace("_x0001_", "\x01").replace("_x000D_", "\r") == text


async def test_a_sheet_ends_where_excels_do(make: Make, seed: Seed, connection: rows.Connection) -> None:
    expected = [await seed.sant.ticket(connection, created_at=SUMMER + n * HOUR) for n in range(7)]
    found = sheets(await make(Format.XLSX, most_rows=3))
    assert [[row["id"].value for row in named(sheet)] for sheet in found] == [expected[:3], expected[3:6], expected[6:]]


async def test_every_ticket_once_however_many_batches(make: Make, seed: Seed, connection: rows.Connection) -> None:
    for number, clinic in ((FIRST + MORE, seed.sant), (FIRST, seed.maga)):
        await many(connection, clinic, number)
    found = [row["id"] for row in table(await make(Format.CSV))]
    expected = [f"TH-SANT-2020-{n}" for n in range(1, FIRST + MORE + 1)]
    assert found[: FIRST + MORE] == sorted(expected)
    assert len(found) == len(set(found)) == 2 * FIRST + MORE
    assert {row["id"] for row in table(await make(Format.CSV, ClinicScope(seed.maga.id)))} == set(found[FIRST + MORE :])
    (sheet,) = sheets(await make(Format.XLSX))
    assert [row[0].value for row in sheet[1:]] == found


async def test_of_nothing_there_is_the_head(make: Make, seed: Seed) -> None:
    made = await make(Format.CSV)
    assert made.startswith(b"\xef\xbb\xbfid,clinic,")
    assert made.endswith(b"\r\n")
    assert table(made) == []
    (sheet,) = sheets(await make(Format.XLSX))
    assert [cell.value for cell in sheet[0]] == [column.name for column in COLUMNS]
    assert len(sheet) == 1


async def test_a_discharge_that_is_assumed_is_marked_in_the_last_column(
    make: Make, seed: Seed, connection: rows.Connection
) -> None:
    """Nobody saw those patients leave. Where nobody left there is nothing to mark."""
    left = {"status": "discharged", "discharged_at": SUMMER + 30 * HOUR, "imported": True}
    await seed.sant.ticket(connection, id="TH-SANT-2025-001", **left, discharge_assumed=True)
    await seed.sant.ticket(connection, id="TH-SANT-2025-002", **left)
    await seed.sant.ticket(connection, id="TH-SANT-2025-003")
    of_csv = {row["id"]: row["assumed"] for row in table(await make(Format.CSV))}
    assert of_csv == {"TH-SANT-2025-001": "true", "TH-SANT-2025-002": "false", "TH-SANT-2025-003": ""}
    (sheet,) = sheets(await make(Format.XLSX))
    of_xlsx = {row["id"].value: row["assumed"].value for row in named(sheet)}
    assert of_xlsx == {"TH-SANT-2025-001": True, "TH-SANT-2025-002": False, "TH-SANT-2025-003": None}
    assert COLUMNS[65].name == "assumed"
