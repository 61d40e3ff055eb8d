"""XlsxWriter's worksheet with a shorter innermost loop.

For constant_memory, texts, numbers and times: what an export has. XlsxWriter's own asks of every cell what it might be
besides, which is half the time of a workbook; and what looks like the XML of a rich text it writes as it is, so that a
patient's name could close its cell and open one with a formula. Here a text is a text. What is overridden is private to
XlsxWriter: tests hold it to what openpyxl reads.
"""

import re
from typing import Any

from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]  # it has no annotations

_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9a-fA-F]{4}_")


class QuickWorksheet(Worksheet):  # type: ignore[misc]  # likewise
    """XlsxWriter's worksheet, which writes texts and numbers, nearly all that an export has, without its detours."""

    def __init__(self) -> None:
        super().__init__()
        self._letters: dict[int, str] = {}
        """Of the columns."""

    def set_height(self, row: int, points: int) -> None:
        """Before the row's cells are written. Of rows that are in the file by then nothing is kept."""
        for kept in (self.row_info, self.row_sizes):
            for old in [one for one in kept if one < row - 1]:
                del kept[old]
        self.set_row(row, points)

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        kind = cell.__class__.__name__
        if kind not in ("String", "Number"):
            super()._write_cell(row, col, cell)
            return
        letters = self._letters.get(col) or self._letters.setdefault(col, letters_of(col))
        style = f' s="{cell.format._get_xf_index()}"' if cell.format else ""
        if kind == "Number":
            self.fh.write(f'<c r="{letters}{row + 1}"{style}><v>{cell.number:.16G}</v></c>')
            return
        text = cell.string
        if _SPECIAL.search(text):
            text = self._escape_data(self._escape_control_characters(text))
        space = ' xml:space="preserve"' if text != text.strip() else ""
        self.fh.write(f'<c r="{letters}{row + 1}"{style} t="inlineStr"><is><t{space}>{text}</t></is></c>')


def letters_of(column: int) -> str:
    """`A` of 0, `AA` of 26."""
    above, own = divmod(column, 26)
    return (letters_of(above - 1) if above else "") + chr(ord("A") + own)
