"""Whatever wrote the file: it is read as it was meant, or said what it is, and what it hides is told."""

import io
import zipfile
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from core.catalogs.imports.decoding import decoded
from core.catalogs.imports.report import NoCatalog
from tests.core.catalogs.imports import spreadsheets
from tests.core.catalogs.imports.conftest import Bring
from tests.core.catalogs.imports.imported import catalog
from tests.core.catalogs.imports.spreadsheets import Page, inline, number
from tests.factories import rows
from tests.factories.fixtures import Seed

SPANISH = [
    "Cirugía", "Pediatría", "Ñandú", "Úlcera", "Índice", "Ángela", "Óscar", "Época", "cigüeña", "CIRUGÍA MENOR",
    "APÉNDICE", "niño", "OPERACIÓN", "Próstata", "N° 5", "¿Qué?", "1ª", "ÁLVAREZ", "Ibáñez", "Múltiple", "él",
]  # fmt: skip
WESTERN = [
    *(word for word in SPANISH if word not in ("él",)),
    *("O’Higgins, cirugía", "Operación – Sjögren", "Síndrome de Menière", "“Cirugía”", "Injerto 5 µg – niño"),
    *("1½ día: revisión", "Cirugía… menor", "D’Angelo y Muñoz"),
    *("Pérez", "Médico", "Técnica", "Cérvix"),  # in DOS PÚrez, which nobody is called
]


def write(folder: Path, content: bytes, name: str = "specialties.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("word", WESTERN)
def test_windows_text_is_read_where_it_is_spanish(word: str) -> None:
    assert decoded(f"nombre\r\n{word}\r\n".encode("cp1252"), "x.csv") == f"nombre\r\n{word}\r\n"


@pytest.mark.parametrize("encoding", ["cp850", "cp437", "mac_roman"])
@pytest.mark.parametrize("word", SPANISH)
def test_text_of_dos_or_macintosh_is_refused_and_not_guessed(word: str, encoding: str) -> None:
    try:
        content = f"nombre\r\n{word}\r\n".encode(encoding)
    except UnicodeEncodeError:
        pytest.skip("it cannot be written so")
    with pytest.raises(NoCatalog, match="CSV UTF-8"):
        decoded(content, "x.csv")


@pytest.mark.parametrize(
    "content",
    [
        "Ginecolog\u00eda".encode("cp1252") + b"\x00",
        b"Cirug\x81a",
        b"\xff\xd8\xff\xe0 JFIF",
        "Хирургия".encode("cp1251"),
        "外科".encode("shift_jis"),
        "Χειρουργική".encode("cp1253"),
        b"\xff\xfea",
        b"\xef\xbb\xbfCirug\xeda",
    ],
)
def test_what_is_no_text_in_spanish_is_refused(content: bytes) -> None:
    with pytest.raises(NoCatalog, match="CSV UTF-8"):
        decoded(content, "x.csv")


ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1")


async def test_a_csv_file_comes_with_any_mark_and_may_say_its_separator(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    for case in product(ENCODINGS, ("", "sep=;\r\n", "SEP=;\r\n", '"sep=;"\r\n')):
        encoding, said = case
        await connection.execute("DELETE FROM specialty WHERE name = ANY($1)", ["Urología, general", "Ñandú"])
        text = f"{said}nombre;activo\r\nUrología, general;sí\r\nÑandú;tal vez\r\n"
        path = write(tmp_path, text.encode(encoding), "x.csv" if said else "especialidades.csv")
        report = await bring(path)
        # As a spreadsheet counts: it shows no row for the line that says the separator.
        assert [(one.row, one.column) for one in report.problems] == [(3, "is_active")], case
        path.write_bytes(text.replace("tal vez", "no").encode(encoding))
        assert (await bring(path)).problems == [], case
        found = (await catalog(connection, seed.sant.id))["specialties"]
        assert found == [("Urología, general", True), ("Ñandú", False)], case


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
async def test_any_separator_that_a_file_says_is_taken(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path, separator: str
) -> None:
    text = f"sep={separator}\nname{separator}is_active\nUrología{separator}no\n"
    assert (await bring(write(tmp_path, text.encode()))).problems == []
    assert (await catalog(connection, seed.sant.id))["specialties"] == [("Urología", False)]


def pages(**more: Any) -> dict[str, Page]:
    surgeries = [
        [inline("Nombre"), inline("Especialidad"), inline("Horas base")],
        *([inline(name), inline("Urología"), number(24)] for name in ("Uno", "Dos", "Tres", "Cuatro")),
    ]
    return {
        "Especialidades": Page([[inline("Nombre")], [inline("Urología")]]),
        "Cirugías": Page(
            surgeries,
            {3: 'hidden="1"', 4: 'ht="0" customHeight="1"'},
            '<cols><col min="3" max="9" width="5" hidden="1"/></cols>',
        ),
        "Motivos": Page([[inline("Motivo"), inline("Categoría")], [inline("Dolor"), inline("Modificación")]], **more),
    }


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
async def test_what_is_hidden_is_imported_like_the_rest_and_told_by_name(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path, state: str
) -> None:
    report = await bring(spreadsheets.write(tmp_path / "x.xlsx", pages(state=state)))
    assert report.problems == []
    hidden = ["Cirugías, row 3 to 4", "Cirugías, column C (base_stay_hours)", "sheet Motivos"]
    assert report.hidden == hidden
    assert f"Hidden in the file, and imported like the rest: {'; '.join(hidden)}." in str(report)
    found = await catalog(connection, seed.sant.id)
    assert {name for name, *_ in found["surgeries"]} == {"Uno", "Dos", "Tres", "Cuatro"}
    assert [reason for reason, *_ in found["reasons"]] == ["Dolor"]


async def test_what_is_hidden_is_told_of_a_file_with_problems_too(bring: Bring, tmp_path: Path) -> None:
    made = pages() | {"Médicos": Page([[inline("Nombre")], [inline("x" * 300)]], {2: 'hidden="true"'})}
    report = await bring(spreadsheets.write(tmp_path / "x.xlsx", made))
    assert [one.row for one in report.problems] == [2]
    assert "Hidden in the file, and checked like the rest: Cirugías, row 3 to 4;" in str(report)
    assert "Médicos, row 2" in str(report)
    assert str(report).endswith("1 problems: nothing was imported.")


async def test_hidden_rows_and_columns_of_other_programs_are_told(bring: Bring, tmp_path: Path) -> None:
    """As openpyxl writes them, with a filter and a group."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "specialties"
    for row in (["name", "is_active"], ["Urología", "no"], ["Pediatría", "si"], [], ["Neurología", "si"]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions.group("B", "D", hidden=True)
    book.save(tmp_path / "x.xlsx")
    report = await bring(tmp_path / "x.xlsx")
    assert report.hidden == ["specialties, row 3", "specialties, column B (is_active)"]


async def test_the_strict_form_of_xlsx_is_read_like_the_usual_one(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    texts = ["Urología", "Motivo"]
    made = pages() | {
        "Especialidades": Page([[inline("Nombre")], [spreadsheets.shared(0)]]),
        "Médicos": Page([[inline("Nombre"), inline("RUT")], [inline("Dra. Soto"), spreadsheets.formula("")]]),
    }
    strict = spreadsheets.write(tmp_path / "strict.xlsx", made, texts=texts, names=spreadsheets.STRICT)
    usual = spreadsheets.write(tmp_path / "usual.xlsx", made, texts=texts)
    problems = (await bring(strict)).problems
    assert [(one.sheet, one.row, one.column) for one in problems] == [("Médicos", 2, "rut")]
    assert problems == (await bring(usual)).problems
    del made["Médicos"]
    report = await bring(spreadsheets.write(tmp_path / "x.xlsx", made, texts=texts, names=spreadsheets.STRICT))
    assert report.problems == []
    assert {kind: counts.created for kind, counts in report.kinds.items()} == {
        "specialties": 1, "surgeries": 4, "reasons": 1,
    }  # fmt: skip
    assert report.hidden[0] == "Cirugías, row 3 to 4"
    assert (await catalog(connection, seed.sant.id))["specialties"] == [("Urología", True)]


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, "<x/>")
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (archive("mimetype", "content.xml"), "OpenDocument"),
        (archive("[Content_Types].xml", "xl/workbook.bin"), "xlsb"),
        (archive("[Content_Types].xml", "word/document.xml"), "a text document"),
        (archive("[Content_Types].xml", "ppt/presentation.xml"), "a presentation"),
        (archive("x.txt"), "no xlsx file, or a damaged one"),
        (b"\xd0\xcf\x11\xe0", "without a password"),
        (b"<html><table><tr><td>name", "HTML or XML"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "HTML or XML"),
    ],
)
async def test_another_programs_file_is_said_what_it_is(
    bring: Bring, tmp_path: Path, content: bytes, expected: str
) -> None:
    with pytest.raises(NoCatalog, match=expected):
        await bring(write(tmp_path, content, "specialties.xlsx"))
