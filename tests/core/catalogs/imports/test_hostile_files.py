"""Files that were made to do harm: refused, within what one file may take, and nobody else waits for it."""

import asyncio
import io
import sys
import zipfile
from pathlib import Path

import pytest

from core.catalogs.imports import child_process, wire
from core.catalogs.imports.child_process import FileReader
from core.catalogs.imports.file import MOST_ROWS
from core.catalogs.imports.report import NoCatalog
from core.catalogs.imports.sheets import read_file
from core.errors import Unavailable
from tests.core.catalogs.imports import spreadsheets
from tests.core.catalogs.imports.spreadsheets import USUAL, Page, inline, number

SHEET, STYLES, BOOK = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"
HEAD = '<row><c t="inlineStr"><is><t>name</t></is></c></row>'
MIB = 2**20


def workbook(folder: Path, **parts: str) -> bytes:
    """One of specialties, with these parts in place of its own: `sheet`, `styles`, `book`."""
    named = {SHEET: parts.get("sheet"), STYLES: parts.get("styles"), BOOK: parts.get("book")}
    path = spreadsheets.write(folder / "x.xlsx", {"specialties": Page([[inline("name")], [inline("A")]])})
    made = io.BytesIO()
    with zipfile.ZipFile(path) as usual, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as hostile:
        for name in usual.namelist():
            part = named.get(name)
            hostile.writestr(name, usual.read(name) if part is None else part)
    return made.getvalue()


def sheet(rows: str, before: str = "", declared: str = "") -> str:
    return f'{declared}<worksheet xmlns="{USUAL["main"]}">{before}<sheetData>{rows}</sheetData></worksheet>'


ENTITIES = "".join(f'<!ENTITY a{one + 1} "{f"&a{one};" * 10}">' for one in range(20))
LAUGHS = f'<!DOCTYPE x [<!ENTITY a0 "ha">{ENTITIES}]>'
ELSEWHERE = '<!DOCTYPE x [<!ENTITY a20 SYSTEM "file:///etc/passwd">]>'


def test_what_is_too_much_is_refused_before_it_is_held(tmp_path: Path) -> None:
    cell = '<row><c t="inlineStr"><is><t>&a20;</t></is></c></row>'
    refused = {
        "unpacks to 65 MiB": (workbook(tmp_path, sheet=sheet(" " * 65 * MIB)), "too large"),
        "rows": (workbook(tmp_path, sheet=sheet(HEAD + "<row><c><v>1</v></c></row>" * 20_000)), "too large"),
        "rows of csv": (b"name\n" + b"".join(b"S %d\n" % one for one in range(MOST_ROWS + 1)), "more than 10000 rows"),
        "columns of csv": (b"name" + b"," * 100_000, "more than 200 columns"),
        "a far cell": (workbook(tmp_path, sheet=sheet('<row r="1"><c r="XFD1"><v>1</v></c></row>')), "200 columns"),
        "a text of csv": (b'name\n"' + b"a" * MIB, "no csv file"),
        "laughs": (workbook(tmp_path, sheet=sheet(HEAD + cell, declared=LAUGHS)), "damaged"),
        "another file": (workbook(tmp_path, sheet=sheet(HEAD + cell, declared=ELSEWHERE)), "damaged"),
    }
    for case, (content, message) in refused.items():
        assert len(content) < 2 * MIB, case
        with pytest.raises(NoCatalog, match=message):
            read_file(content, "x.csv")


def test_what_a_file_says_of_itself_costs_no_more_than_what_it_has(tmp_path: Path) -> None:
    columns = '<cols><col min="1" max="1000000000" hidden="1"/></cols>'
    far = '<row r="99999999999"><c><v>1</v></c></row>'
    file = read_file(workbook(tmp_path, sheet=sheet(HEAD + far, columns)))
    assert [row.number for row in file.sheets[0].rows] == [99999999999]
    assert file.hidden == ["specialties, column A (name)"]
    pages = {
        "specialties": Page([[inline("name")], [inline("A")]]),
        "Pacientes": Page([[number(1)]] * (MOST_ROWS + 10)),
    }
    # What is of no kind is not read.
    file = read_file(spreadsheets.write(tmp_path / "x.xlsx", pages).read_bytes())
    assert (len(file.sheets[0].rows), file.ignored) == (1, ["Pacientes"])


@pytest.mark.long
async def test_the_kernel_ends_what_takes_too_long_or_too_much(tmp_path: Path) -> None:
    nested = workbook(tmp_path, sheet=sheet("<a>" * 4_000_000 + "</a>" * 4_000_000))
    with pytest.raises(NoCatalog, match="takes too long"):
        await FileReader(seconds=1).read(nested, "x.xlsx")
    many = workbook(tmp_path, styles=f'<styleSheet xmlns="{USUAL["main"]}">{"<a/>" * 8_000_000}</styleSheet>')
    reader = FileReader()
    with pytest.raises(NoCatalog, match="unpacks to more than can be read"):
        await reader.read(many, "x.xlsx")
    file = await reader.read("nombre;activo\nUrología;sí\n".encode("cp1252"), "especialidades.csv")
    assert [row.values for row in file.sheets[0].rows] == [{"name": "Urología", "is_active": True}]
    assert file.encoding == "windows-1252"


async def test_who_leaves_or_waits_for_a_turn_leaves_the_next_one_his(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = FileReader()
    # It reads until it is ended.
    monkeypatch.setattr(child_process, "COMMAND", (sys.executable, "-S", "-c", "import time; time.sleep(600)"))
    monkeypatch.setattr(child_process, "TURN", 0.05)
    reading = asyncio.ensure_future(reader.read(b"name\n", "x.csv"))
    await asyncio.sleep(0)  # it has its turn
    with pytest.raises(Unavailable, match="Another file"):
        await reader.read(b"name\n", "x.csv")
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    monkeypatch.setattr(child_process, "READING", 0.05)
    with pytest.raises(Unavailable, match="too long just now"):
        await reader.read(b"name\n", "x.csv")
    monkeypatch.undo()
    for ending in ("raise SystemExit(3)", 'import sys; sys.stdout.write(\'["failed", ["KeyError", "here"]]\\n\')'):
        monkeypatch.setattr(child_process, "COMMAND", (sys.executable, "-S", "-c", ending))
        with pytest.raises(wire.ReadingFailed):
            await reader.read(b"name\n", "x.csv")


def test_what_is_told_is_short_however_long_a_cell_is() -> None:
    rows = b"".join(b'"1.000%s"\n' % (b".000" * 20_000) for _ in range(10))
    file = read_file(b"name,base_stay_hours,specialty\n" + rows.replace(b'"1', b'A,"1'), "surgeries.csv")
    assert max(len(one.message) for one in file.problems) > 50_000
    lines = list(wire.lines_of(file))
    assert max(map(len, lines)) < 20_000
