"""Files as hospitals send them: csv, and xlsx with what openpyxl itself would neither write nor keep."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

Table = Sequence[Sequence[Any]]

USUAL = {
    "main": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "relationships": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
}
STRICT = {
    "main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "relationships": "http://purl.oclc.org/ooxml/officeDocument/relationships",
}
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DATE = 1
"""The style of dates."""
STYLES = """<styleSheet xmlns="{main}">
<fonts count="1"><font/></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills>
<borders count="1"><border/></borders>
<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>
</styleSheet>"""


def inline(text: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def shared(index: int) -> str:
    return f'<c t="s"><v>{index}</v></c>'


def number(written: object) -> str:
    return f"<c><v>{written}</v></c>"


def date(serial: int) -> str:
    return f'<c s="{DATE}"><v>{serial}</v></c>'


def boolean(value: object) -> str:
    return f'<c t="b"><v>{int(bool(value))}</v></c>'


def error(shown: str) -> str:
    return f'<c t="e"><v>{shown}</v></c>'


def formula(value: str | None, kind: str = "", attributes: str = "") -> str:
    """`value` as it is stored; None: no element for it at all."""
    kind = f' t="{kind}"' if kind else ""
    stored = "" if value is None else f"<v>{escape(value)}</v>"
    return f"<c{kind}><f{attributes}>CONCATENATE(1,2)</f>{stored}</c>"


@dataclass(frozen=True)
class Page:
    """`rows` are of cells' elements."""

    rows: Sequence[Sequence[str]]
    row_attributes: Mapping[int, str] = field(default_factory=dict)
    columns: str = ""
    state: str = "visible"


def write(
    path: Path, pages: Mapping[str, Page], *, texts: Sequence[str] = (), names: Mapping[str, str] = USUAL
) -> Path:
    """`texts` are the shared ones. `names`: USUAL or STRICT."""
    parts = {"xl/styles.xml": STYLES.format(**names)}
    items = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in texts)
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{names["main"]}">{items}</sst>'
    sheets, relations, overrides = "", "", ""
    for place, (title, page) in enumerate(pages.items(), start=1):
        rows = "".join(
            f'<row r="{row}" {page.row_attributes.get(row, "")}>{"".join(cells)}</row>'
            for row, cells in enumerate(page.rows, start=1)
        )
        body = f'<worksheet xmlns="{names["main"]}">{page.columns}<sheetData>{rows}</sheetData></worksheet>'
        parts[f"xl/worksheets/sheet{place}.xml"] = body
        sheets += f'<sheet name="{escape(title)}" sheetId="{place}" state="{page.state}" r:id="rId{place}"/>'
        relations += _relation(names, place, "worksheet", f"worksheets/sheet{place}.xml")
        overrides += _override(f"xl/worksheets/sheet{place}.xml", "worksheet")
    more = len(pages) + 1
    relations += _relation(names, more, "styles", "styles.xml")
    relations += _relation(names, more + 1, "sharedStrings", "sharedStrings.xml")
    parts["xl/workbook.xml"] = (
        f'<workbook xmlns="{names["main"]}" xmlns:r="{names["relationships"]}"><sheets>{sheets}</sheets></workbook>'
    )
    parts["xl/_rels/workbook.xml.rels"] = f'<Relationships xmlns="{PACKAGE}/relationships">{relations}</Relationships>'
    main = _relation(names, 1, "officeDocument", "xl/workbook.xml")
    parts["_rels/.rels"] = f'<Relationships xmlns="{PACKAGE}/relationships">{main}</Relationships>'
    overrides += _override("xl/workbook.xml", "sheet.main") + _override("xl/styles.xml", "styles")
    overrides += _override("xl/sharedStrings.xml", "sharedStrings")
    parts["[Content_Types].xml"] = (
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{part}')
    return path


def _relation(names: Mapping[str, str], place: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{place}" Type="{names["relationships"]}/{kind}" Target="{target}"/>'


def _override(part: str, kind: str) -> str:
    return f'<Override PartName="/{part}" ContentType="{KIND}.{kind}+xml"/>'


def text_file(
    folder: Path, table: Table, name: str = "x.csv", *, encoding: str = "utf-8", delimiter: str = ","
) -> Path:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows(table)
    path = folder / name
    path.write_bytes(written.getvalue().encode(encoding))
    return path
