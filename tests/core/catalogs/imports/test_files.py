"""`ticket-home import catalog`: from xlsx and csv, all or nothing, every bad row told."""

import json
from pathlib import Path

import pytest
from openpyxl import Workbook

from api.cli.actor import OPERATOR
from core.catalogs.imports.report import NoCatalog, SheetProblem
from core.catalogs.imports.run import import_catalog
from core.db.transaction import Database
from core.errors import NotFound
from tests.core.catalogs.imports.a_catalog import SHEETS, xlsx
from tests.core.catalogs.imports.conftest import Bring
from tests.core.catalogs.imports.imported import catalog
from tests.core.catalogs.imports.spreadsheets import text_file
from tests.factories import rows
from tests.factories.fixtures import Seed

EXPECTED = {
    "specialties": [("Pediatría", False), ("Urología", True)],
    "surgeries": [
        ("Circuncisión", "Urología", 6, True, True, 16, True),
        ("Prostatectomía", "Urología", 72, True, False, None, True),
    ],
    "doctors": [("Dr. Pérez", None, None, True), ("Dra. Muñoz", "Urología", "7654321-6", True)],
    "reasons": [("Dolor", "modification", True), ("Error de ingreso", "annulment", True)],
}


async def test_an_xlsx_file_brings_every_kind(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    report = await bring(xlsx(tmp_path))
    assert report.problems == []
    assert await catalog(connection, seed.sant.id) == EXPECTED
    assert not any((await catalog(connection, seed.maga.id)).values())
    assert {kind: counts.created for kind, counts in report.kinds.items()} == dict.fromkeys(EXPECTED, 2)
    assert report.ignored == ["Notas"]
    assert "doctors: 2 created, 0 updated, 0 unchanged" in str(report)


async def test_a_second_time_nothing_changes(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    path = xlsx(tmp_path)
    await bring(path)
    audits = await connection.fetchval("SELECT count(*) FROM action_audit")
    report = await bring(path)
    for counts in report.kinds.values():
        assert (counts.created, counts.updated, counts.unchanged) == (0, 0, 2)
    assert await connection.fetchval("SELECT count(*) FROM action_audit") == audits == 8


async def test_what_is_there_is_written_over_and_audited(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    await bring(xlsx(tmp_path))
    report = await bring(
        xlsx(
            tmp_path,
            {
                "Cirugías": [["Nombre", "Especialidad", "Horas base", "Activo"], ["CIRCUNCISIÓN", "Urología", 8, "no"]],
                "doctors": [["name", "specialty"], ["dr. pérez", "Urología"], ["Dra. Muñoz", ""]],
            },
        )
    )
    assert report.problems == []
    found = await catalog(connection, seed.sant.id)
    # Absent columns stay, a blank cell clears, and what the file does not have is as it was.
    assert found["surgeries"] == [
        ("CIRCUNCISIÓN", "Urología", 8, True, True, 16, False),
        ("Prostatectomía", "Urología", 72, True, False, None, True),
    ]
    assert found["doctors"] == [("Dra. Muñoz", None, "7654321-6", True), ("dr. pérez", "Urología", None, True)]
    audit = await rows.one(connection, "SELECT * FROM action_audit WHERE action = 'surgery.changed'")
    assert (audit["username"], audit["clinic_id"]) == ("(command line)", seed.sant.id)
    assert json.loads(audit["changes"]) == {
        "name": ["Circuncisión", "CIRCUNCISIÓN"], "base_stay_hours": [6, 8], "is_active": [True, False],
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_a_csv_file_comes_as_excel_writes_it(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    table = [["nombre", "activo"], ["Urología", "sí"], ["Ñandú; y, más", "NO"]]
    report = await bring(text_file(tmp_path, table, "Especialidades.csv", encoding=encoding, delimiter=delimiter))
    assert report.problems == []
    assert (await catalog(connection, seed.sant.id))["specialties"] == [("Urología", True), ("Ñandú; y, más", False)]


@pytest.mark.parametrize("kind", ["specialties", "surgeries", "doctors", "reasons"])
async def test_a_csv_files_headings_tell_what_it_holds(bring: Bring, tmp_path: Path, kind: str) -> None:
    await bring(text_file(tmp_path, SHEETS["specialties"], "specialties.csv"))
    report = await bring(text_file(tmp_path, SHEETS[kind], "export-2025.csv"))
    assert list(report.kinds) == [kind]
    assert report.problems == []


async def test_a_csv_file_with_a_column_kind_holds_all(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    table = [
        ["kind", "name", "specialty", "base_stay_hours", "reason", "category"],
        ["surgery", "Circuncisión", "Urología", "6", "", ""],
        ["specialty", "Urología", "", "", "", ""],
        ["", "", "", "", "", ""],
        ["motivos", "", "", "", "Dolor", "modificación"],
    ]
    report = await bring(text_file(tmp_path, table))
    assert report.problems == []
    found = await catalog(connection, seed.sant.id)
    assert [row[:3] for row in found["surgeries"]] == [("Circuncisión", "Urología", 6)]
    assert found["reasons"] == [("Dolor", "modification", True)]
    table += [["parking", "x"], ["surgery", "y", "Urología", "many"]]
    report = await bring(text_file(tmp_path, table))
    assert [(one.row, one.column) for one in report.problems] == [(6, "kind"), (7, "base_stay_hours")]


async def test_every_bad_row_is_told_and_nothing_is_imported(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    report = await bring(
        xlsx(
            tmp_path,
            {
                "specialties": [["name"], ["Urología"], ["UROLOGÍA"], ["x" * 121]],
                "surgeries": [
                    ["name", "specialty", "base_stay_hours", "is_ambulatory", "ambulatory_cutoff_hour"],
                    ["A", "Urología", 0, None, None],
                    ["B", "Urología", 2161, None, None],
                    ["C", "Urología", 1.5, "perhaps", 24],
                    ["D", "Nefrología", 24, None, None],
                    [None, "Urología", None, None, None],
                    ["E", "Urología", True, None, "noon"],
                ],
                "doctors": [
                    ["name", "rut"],
                    ["A", "12.345.678-9"],
                    ["B", "12.345.678-5"],
                    ["C", "12345678-5"],
                    ["D", "=NA()"],
                ],
                "reasons": [["reason", "category"], ["Dolor", "initial"], ["Dolor", "modification"], ["y" * 501, "?"]],
            },
        )
    )
    assert {(one.sheet, one.row, one.column) for one in report.problems} == {
        ("specialties", 3, "name"),
        ("specialties", 4, "name"),
        ("surgeries", 2, "base_stay_hours"),
        ("surgeries", 3, "base_stay_hours"),
        ("surgeries", 4, "base_stay_hours"),
        ("surgeries", 4, "is_ambulatory"),
        ("surgeries", 4, "ambulatory_cutoff_hour"),
        ("surgeries", 5, "specialty"),
        ("surgeries", 6, "name"),
        ("surgeries", 6, "base_stay_hours"),
        ("surgeries", 7, "base_stay_hours"),
        ("surgeries", 7, "ambulatory_cutoff_hour"),
        ("doctors", 2, "rut"),
        ("doctors", 4, "name"),
        ("doctors", 5, "rut"),
        ("reasons", 2, "category"),
        ("reasons", 4, "reason"),
        ("reasons", 4, "category"),
    }
    assert not any((await catalog(connection, seed.sant.id)).values())
    assert await connection.fetchval("SELECT count(*) FROM action_audit") == 0
    text = str(report)
    assert "surgeries, row 5, specialty: the clinic has none of this name, and the file neither" in text
    assert "doctors, row 4, name: is the same as doctors, row 3" in text
    assert text.endswith("18 problems: nothing was imported.")


async def test_headings_must_be_known_whole_and_once(bring: Bring, tmp_path: Path) -> None:
    report = await bring(
        xlsx(
            tmp_path,
            {
                "specialties": [["name", "nombre", "colour"], ["A", "B", "red", "more"]],
                "reasons": [["reason"], ["Dolor"]],
                "doctors": [[]],
            },
        )
    )
    assert set(report.problems) == {
        SheetProblem("specialties", 1, "nombre", "is there twice"),
        SheetProblem("specialties", 1, "colour", "is no column of specialties"),
        SheetProblem("specialties", 2, None, "has more cells than there are headings"),
        SheetProblem("reasons", 1, "category", "is missing"),
        SheetProblem("doctors", 1, "name", "is missing"),
    }


async def test_a_cell_that_shows_an_error_is_told(bring: Bring, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "specialties"
    sheet["A1"], sheet["A2"] = "name", "#N/A"
    sheet["A2"].data_type = "e"
    book.save(tmp_path / "catalog.xlsx")
    report = await bring(tmp_path / "catalog.xlsx")
    assert report.problems == [SheetProblem("specialties", 2, "name", "shows #N/A")]


async def test_a_specialty_that_is_not_in_use_takes_no_newcomers(
    bring: Bring, connection: rows.Connection, tmp_path: Path
) -> None:
    await bring(xlsx(tmp_path))
    await connection.execute("UPDATE specialty SET is_active = false WHERE name = 'Urología'")
    surgeries: list[list[object]] = [
        ["name", "specialty", "base_stay_hours"],
        ["Circuncisión", "Urología", 7],
        ["Otra", "Urología", 7],
    ]
    report = await bring(text_file(tmp_path, surgeries))
    # What refers to it already may go on to.
    assert report.problems == [SheetProblem("x.csv", 3, "specialty", "is no longer in use")]
    table: dict[str, list[list[object]]] = {
        "specialties": [["name", "is_active"], ["Urología", "yes"]],
        "surgeries": surgeries,
    }
    assert (await bring(xlsx(tmp_path, table))).problems == []


async def test_doctors_are_known_by_rut_and_then_by_name(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    await bring(xlsx(tmp_path))
    table = [
        ["name", "rut"],
        ["Dra. Muñoz Rojas", "7654321-6"],
        ["Dr. Pérez", "12.345.678-5"],
        ["Dra. Muñoz Rojas", "11.111.111-1"],
    ]
    report = await bring(text_file(tmp_path, table))
    assert report.problems == []
    found = (await catalog(connection, seed.sant.id))["doctors"]
    assert sorted((name, rut) for name, _, rut, _ in found) == [
        ("Dr. Pérez", "12345678-5"),
        ("Dra. Muñoz Rojas", "11111111-1"),
        ("Dra. Muñoz Rojas", "7654321-6"),
    ]
    report = await bring(text_file(tmp_path, [["name"], ["dra. muñoz rojas"]], "doctors.csv"))
    assert report.problems == [
        SheetProblem("doctors.csv", 2, "name", "2 doctors of the clinic are called so: say which by the RUT")
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.xlsx", b"PK\x03\x04 and no more"),
        ("x.xls", b"\xd0\xcf\x11\xe0 old"),
        ("x.csv", b"\x81\x8d\x00"),
        ("x.csv", b""),
        ("x.csv", b"name,colour,size\nA,red,1\n"),
        ("x.csv", b'name\n"unclosed'),
    ],
)
async def test_what_is_no_catalog_is_refused(bring: Bring, tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NoCatalog):
        await bring(path)


async def test_a_workbook_without_a_known_sheet_is_refused(bring: Bring, tmp_path: Path) -> None:
    with pytest.raises(NoCatalog, match="specialties, surgeries, doctors, reasons"):
        await bring(xlsx(tmp_path, {"Hoja1": [["name"], ["Urología"]]}))


async def test_an_unknown_clinic_is_refused(database: Database, seed: Seed, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="NONE"):
        await import_catalog(database, OPERATOR, "none", xlsx(tmp_path))


async def test_thousands_of_rows_take_seconds(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    """A statement and a look-up per row would take minutes."""
    table: list[list[object]] = [
        ["name", "specialty", "base_stay_hours"],
        *([f"S {number}", "Urología", 24] for number in range(5000)),
    ]
    report = await bring(xlsx(tmp_path, {"specialties": [["name"], ["Urología"]], "surgeries": table}))
    assert report.kinds["surgeries"].created == 5000
    assert await connection.fetchval("SELECT count(*) FROM action_audit WHERE action = 'surgery.created'") == 5000
