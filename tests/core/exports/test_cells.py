"""No cell starts a formula, whichever program opens the csv and wherever it cuts the line."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exports.child.cells import SEPARATORS, SIGNS, guarded
from core.exports.child.csv import cell as written

TRIMMED = " \u00a0\u200b\ufeff\x00\x1f\"'“`"
"""What a spreadsheet drops before it looks."""


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\tx", "\rx", "＝1", "－1", "−1"),
        *(" =1", "\u00a0=1", "\ufeff=1", "\x00=1", '"=1', '""=1"', "'=1", "''=1", "“=1", "' \" =1"),
        '=HYPERLINK("http://example.org/?"&A1;"click")',
        "=cmd|' /C calc'!A0",
    ],
)
def test_what_would_be_a_formula_is_a_text(text: str) -> None:
    assert guarded(text) == "'" + text.replace("\t=", "\t'=").replace("\r=", "\r'=").replace("\n=", "\n'=")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("x;=1+1", "x;'=1+1"), ("x\t@y", "x\t'@y"), ("x\n- y", "x\n'- y"), ('x; "=1', "x;' \"=1")],
)
def test_what_another_program_takes_for_the_next_cell_is_a_text_too(text: str, expected: str) -> None:
    assert guarded(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ana",
        "Núñez-Soto",
        "12345678-5",
        "11:00 - 13:00",
        "a=b",
        "a+b",
        "x, -y",
        "O'Higgins",
        "(+56) 9",
        "2 - 3",
        "'x'",
    ],
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


@pytest.mark.parametrize(
    ("value", "cell"), [(-3, -3), (0, 0), (True, "true"), (False, "false"), (None, None), ("-3", "'-3")]
)
def test_a_number_of_ours_stays_a_number(value: object, cell: object) -> None:
    assert written(value) == cell


@given(st.text(st.sampled_from("=+-@＝;,\t\r\n \"'x1\u00a0\ufeff") | st.characters(codec="utf-8"), max_size=40))
def test_whatever_the_text_no_program_finds_a_formula(text: str) -> None:
    cell = guarded(text)
    for part in re.split(f"[{SEPARATORS}]", cell):
        assert not part.lstrip(TRIMMED.replace("'", "")).startswith(tuple(SIGNS))
    assert not cell.startswith(tuple(SEPARATORS))
    line = io.StringIO()
    csv.writer(line).writerow([cell, "next"])
    assert next(csv.reader(io.StringIO(line.getvalue(), newline=""))) == [cell, "next"]
    assert guarded(text).replace("'", "") == text.replace("'", "")
