"""What a cell says, whatever kind of cell it is: a number is one, a flag is one, and nothing is guessed."""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from core.catalogs.catalogs import CATALOGS, Catalog
from core.catalogs.columns import Column, Flag, Word
from core.catalogs.imports.cells import catalog_called, column_called, flag, reader_of
from core.catalogs.imports.cells import text as text_column
from core.catalogs.imports.workbook import unescaped
from tests.core.catalogs.imports import spreadsheets
from tests.core.catalogs.imports.conftest import Bring
from tests.core.catalogs.imports.imported import catalog
from tests.core.catalogs.imports.spreadsheets import Page, text_file
from tests.factories import rows
from tests.factories.fixtures import Seed


def filled_in(column: Column) -> str:
    """What a good cell says."""
    match column.holds:
        case Flag():
            return "si"
        case Word(meanings):
            return next(iter(meanings))
        case _:
            return "Urología" if column.refers_by else str(column.example)


FILLED = {kind.plural: {column.name: filled_in(column) for column in kind.columns} for kind in CATALOGS}
EVERY = [(kind, column) for kind in CATALOGS for column in kind.columns]
FLAGS = [(kind, column) for kind, column in EVERY if isinstance(column.holds, Flag)]
NUMBERS = [(kind, column) for kind, column in EVERY if "hour" in column.name]
UROLOGY = [["name"], ["Urología"]]


def named(one: object) -> str | None:
    """A case's name among pytest's ids."""
    return getattr(one, "name", None)


def a_file(folder: Path, kind: Catalog, column: Column, cell: str, *, as_csv: bool = False) -> Path:
    """A sheet of one row, with `cell` in the column: an element of xlsx, or the text of csv."""
    filled = FILLED[kind.plural]
    if as_csv:
        row = [cell if name == column.name else value for name, value in filled.items()]
        return text_file(folder, [list(filled), row], f"{kind.plural}.csv")
    cells = [cell if name == column.name else spreadsheets.inline(value) for name, value in filled.items()]
    pages = {kind.plural: Page([[spreadsheets.inline(name) for name in filled], cells])}
    if kind.plural != "specialties":
        pages["specialties"] = Page([[spreadsheets.inline(cell) for cell in row] for row in UROLOGY])
    return spreadsheets.write(folder / "catalog.xlsx", pages)


async def stored(connection: rows.Connection, seed: Seed, kind: Catalog, column: Column) -> Any:
    table = kind.table.__tablename__
    named = kind.columns[0].name
    return await connection.fetchval(
        f"SELECT {column.name} FROM {table} WHERE clinic_id = $1 AND {named} = $2",
        seed.sant.id,
        FILLED[kind.plural][named],
    )


GOOD_NUMBERS: Sequence[tuple[str, str, int]] = [
    *(("csv", written, 12) for written in ("12", " 12 ", "012", "12,0", "12.0", "12,00")),
    *(("text", written, 12) for written in ("12", " 12 ", "12,0", "12_x000D_")),
    *(("number", written, 12) for written in ("12", "12.0", "1.2E1")),
]
GROUPED = ["1.000", "24.000", "1,000", "1.000,00", "1 000", "1'000", "1.000.000", "2.160,0"]
BAD_NUMBERS = [
    *GROUPED,
    *(
        "2_4",
        "1E1",
        "1e1",
        "٢٤",
        "２",
        "+12",
        "-1",
        "- 1",
        "12.5",
        "12,5",
        "0x12",
        "12h",
        "1 2",
        "½",
        "²",
        "inf",
        "nan",
    ),
    *("yes", "TRUE", "12,", ".0", "12.0.0", "9" * 30, "#N/A", "XII", "uno"),
]


@pytest.mark.parametrize(("kind", "column"), NUMBERS, ids=named)
async def test_a_whole_number_is_read_in_every_column_of_numbers(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path, kind: Catalog, column: Column
) -> None:
    await bring(text_file(tmp_path, UROLOGY, "specialties.csv"))
    elements: dict[str, Callable[[str], str]] = {"csv": str, "text": spreadsheets.inline, "number": spreadsheets.number}
    # In between another number, or one that is not read would be what the last one left.
    another = a_file(tmp_path, kind, column, "13", as_csv=True)
    (tmp_path / "one").mkdir()
    for cell, written, meant in GOOD_NUMBERS:
        assert (await bring(another)).problems == []
        assert await stored(connection, seed, kind, column) == 13
        report = await bring(a_file(tmp_path / "one", kind, column, elements[cell](written), as_csv=cell == "csv"))
        assert report.problems == [], (cell, written)
        assert await stored(connection, seed, kind, column) == meant, (cell, written)


@pytest.mark.parametrize(("kind", "column"), NUMBERS, ids=named)
async def test_what_is_no_whole_number_is_refused_in_every_column_of_numbers(
    bring: Bring, tmp_path: Path, kind: Catalog, column: Column
) -> None:
    await bring(text_file(tmp_path, UROLOGY, "specialties.csv"))
    cells = [(written, written, True) for written in BAD_NUMBERS]
    cells += [(written, spreadsheets.inline(written), False) for written in BAD_NUMBERS]
    cells += [(written, spreadsheets.number(written), False) for written in ("0.5", "1.9", "12.000001", "-12", "1E300")]
    cells += [
        ("TRUE", spreadsheets.boolean(True), False),
        ("a date", spreadsheets.date(12), False),
        ("an error", spreadsheets.error("#DIV/0!"), False),
    ]
    for written, cell, as_csv in cells:
        report = await bring(a_file(tmp_path, kind, column, cell, as_csv=as_csv))
        assert [(one.row, one.column) for one in report.problems] == [(2, column.name)], (written, as_csv)
        message = report.problems[0].message
        assert message
        if written in GROUPED:
            assert "thousand" in message, written


YES = ["si", "sí", "SÍ", "si\u0301", "s", "yes", "Y", "true", "TRUE", "verdadero", "x", "activo", "1", " 1 ", " Sí "]
NO = ["no", "NO", "n", "false", "FALSO", "inactivo", "inactiva", "0"]
NEITHER = [
    *("2", "-1", "0.5", "1.9", "1,0", "1.0", "00", "01", "+1", "١", "１", "¹", "sí, claro", "maybe", "?", "10", "1E0"),
    *("no aplica", "yesno", "null", "none", "-", "t rue", "12"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "column"), FLAGS, ids=named)
async def test_a_flag_is_one_of_a_closed_list_in_every_column_of_flags(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path, kind: Catalog, column: Column
) -> None:
    await bring(text_file(tmp_path, UROLOGY, "specialties.csv"))
    for meant, words in ((True, YES), (False, NO)):
        cells = [(word, True) for word in words] + [(spreadsheets.inline(word), False) for word in words]
        cells += [(spreadsheets.number(int(meant)), False), (spreadsheets.boolean(meant), False)]
        cells += [(spreadsheets.number(f"{int(meant)}.0"), False), (spreadsheets.formula(str(int(meant)), "b"), False)]
        for cell, as_csv in cells:
            report = await bring(a_file(tmp_path, kind, column, cell, as_csv=as_csv))
            assert report.problems == [], cell
            assert await stored(connection, seed, kind, column) is meant, cell


@pytest.mark.parametrize(("kind", "column"), FLAGS, ids=named)
async def test_what_is_neither_yes_nor_no_is_refused_in_every_column_of_flags(
    bring: Bring, tmp_path: Path, kind: Catalog, column: Column
) -> None:
    await bring(text_file(tmp_path, UROLOGY, "specialties.csv"))
    cells = [(word, True) for word in NEITHER] + [(spreadsheets.inline(word), False) for word in NEITHER]
    cells += [(spreadsheets.number(written), False) for written in ("0.5", "1.9", "-0.3", "2", "-1", "1E-9")]
    cells += [(spreadsheets.date(1), False), (spreadsheets.error("#N/A"), False)]
    for cell, as_csv in cells:
        report = await bring(a_file(tmp_path, kind, column, cell, as_csv=as_csv))
        assert [(one.row, one.column) for one in report.problems] == [(2, column.name)], cell


FORMULAS = {
    "no element": spreadsheets.formula(None),
    "an empty element": spreadsheets.formula(""),
    "of a text": spreadsheets.formula(None, "str"),
    "of a flag": spreadsheets.formula("", "b"),
    "of an error": spreadsheets.formula(None, "e"),
    "an array's": spreadsheets.formula(None, attributes=' t="array" ref="A1"'),
    "a shared one's": spreadsheets.formula(None, attributes=' t="shared" si="0" ref="A1"'),
}


@pytest.mark.parametrize(("kind", "column"), EVERY, ids=named)
async def test_a_formula_without_a_stored_value_is_refused_and_clears_nothing(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path, kind: Catalog, column: Column
) -> None:
    await bring(text_file(tmp_path, UROLOGY, "specialties.csv"))
    first = kind.columns[0]
    assert (
        await bring(a_file(tmp_path, kind, first, spreadsheets.inline(FILLED[kind.plural][first.name])))
    ).problems == []
    before = await catalog(connection, seed.sant.id)
    for which, cell in FORMULAS.items():
        report = await bring(a_file(tmp_path, kind, column, cell))
        assert [(one.row, one.column) for one in report.problems] == [(2, column.name)], which
        assert "formula" in report.problems[0].message
        assert await catalog(connection, seed.sant.id) == before


async def test_a_formula_as_heading_is_refused_where_its_value_is_not_stored(bring: Bring, tmp_path: Path) -> None:
    pages = {"specialties": Page([[spreadsheets.inline("name"), spreadsheets.formula("")]])}
    report = await bring(spreadsheets.write(tmp_path / "x.xlsx", pages))
    assert [(one.row, one.column) for one in report.problems] == [(1, "column B")]


async def test_a_formulas_stored_value_is_its_value(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    cells = [
        spreadsheets.formula("Circuncisión", "str"),
        spreadsheets.formula("Urología", "str"),
        spreadsheets.formula("24"),
        spreadsheets.formula("1", "b"),
        spreadsheets.formula("", "str"),  # an empty text is what it stands for
    ]
    headings = ["name", "specialty", "base_stay_hours", "is_ambulatory", "ambulatory_cutoff_hour"]
    pages = {
        "specialties": Page([[spreadsheets.inline("name")], [spreadsheets.inline("Urología")]]),
        "surgeries": Page([[spreadsheets.inline(heading) for heading in headings], cells]),
    }
    report = await bring(spreadsheets.write(tmp_path / "x.xlsx", pages))
    assert report.problems == []
    found = (await catalog(connection, seed.sant.id))["surgeries"]
    assert found == [("Circuncisión", "Urología", 24, True, True, None, True)]


@pytest.mark.parametrize("place", ["shared", "inline", "formula"])
async def test_escaped_characters_are_what_they_stand_for_wherever_a_text_stands(
    bring: Bring, connection: rows.Connection, seed: Seed, tmp_path: Path, place: str
) -> None:
    texts = ["Mo_x0074_ivo", "Categoría_x000D_\n", "Dolor_x000D_\nno_x000A_controlado", "Modificación_x000D_",
             "Sangrado_x000d_", "Código _x005F_x000D_ tal cual", "Gl_x00F3_bulos", "a_x_b x0041_ _x41_"]  # fmt: skip

    def cell(index: int) -> str:
        if place == "shared":
            return spreadsheets.shared(index)
        return spreadsheets.inline(texts[index]) if place == "inline" else spreadsheets.formula(texts[index], "str")

    body = [[cell(index), cell(3)] for index in (2, 4, 5, 6, 7)]
    report = await bring(
        spreadsheets.write(tmp_path / "x.xlsx", {"Motivos": Page([[cell(0), cell(1)], *body])}, texts=texts)
    )
    assert report.problems == []
    assert {reason for reason, _, _ in (await catalog(connection, seed.sant.id))["reasons"]} == {
        "Dolor no controlado", "Sangrado", "Código _x000D_ tal cual", "Glóbulos", "a_x_b x0041_ _x41_",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("_x005F_x005F_", "_x005F_"),
        ("_x000D__x000A_", "\n"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("_xD83D__xDE00_", "\N{GRINNING FACE}"),
        ("_xD83D_", "\ufffd"),
        ("_xZZZZ_", "_xZZZZ_"),
        ("_X000D_", "_X000D_"),
    ],
)
def test_an_escape_is_four_digits_between_underscores(written: str, meant: str) -> None:
    assert unescaped(written) == meant


async def test_a_cell_of_another_kind_is_no_text(bring: Bring, tmp_path: Path) -> None:
    cells = (spreadsheets.boolean(True), spreadsheets.date(45000), spreadsheets.error("#REF!"))
    texts = [one for one in EVERY if one not in FLAGS + NUMBERS]
    for (kind, column), cell in product(texts, cells):
        report = await bring(a_file(tmp_path, kind, column, cell))
        assert (2, column.name) in [(one.row, one.column) for one in report.problems], (kind.name, column.name, cell)


@pytest.mark.parametrize("written", ["#N/A", "#¡VALOR!", "#REF!", "Cirug\ufffda", date(2025, 1, 1), True])
def test_a_text_that_stands_for_none_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match=r"shows|no text|must be a text"):
        text_column(20)(written)


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u00ad", "\u2060", "\u200e", "\ufe0f", "\u2003"])
def test_what_nobody_sees_makes_no_other_heading_sheet_flag_or_number(unseen: str) -> None:
    for kind, column in EVERY:
        assert catalog_called(f"{unseen}{kind.plural}{unseen}") is kind
        assert column_called(kind, f"{unseen}{column.name}{unseen}") is column
    assert [flag(f"{unseen}{written}{unseen}") for written in ("sí", "no", "1", "0")] == [True, False, True, False]
    for _, column in NUMBERS:
        assert reader_of(column)(f"{unseen}12{unseen}") == 12
