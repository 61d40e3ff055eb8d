"""Files of every kind that the command is tested with."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.core.catalogs.imports import spreadsheets
from tests.core.catalogs.imports.a_catalog import SHEETS, xlsx
from tests.core.catalogs.imports.spreadsheets import Page, Table, inline, number, text_file

SPECIALTIES: Table = [["nombre", "activo"], ["Urología", "sí"], ["Ñandú; y, más", "NO"]]
MIXED: Table = [
    ["kind", "name", "specialty", "base_stay_hours", "reason", "category"],
    ["surgery", "Circuncisión", "Urología", "6", "", ""],
    ["specialty", "Urología", "", "", "", ""],
    ["motivos", "", "", "", "Dolor", "modificación"],
]
CHANGED: Mapping[str, Table] = {
    "Cirugías": [["Nombre", "Especialidad", "Horas base", "Activo"], ["CIRCUNCISIÓN", "Urología", 8, "no"]],
    "doctors": [["name", "specialty"], ["dr. pérez", "Urología"], ["Dra. Muñoz", ""]],
}
BAD: Mapping[str, Table] = {
    "doctors": [["name", "rut"], ["A", "12.345.678-9"], ["B", "12.345.678-5"], ["C", "12345678-5"], ["D", "=NA()"]],
    "specialties": [["name", "nombre", "colour"], ["Nueva"], ["NUEVA", "", "", "more"], ["x" * 121]],
    "surgeries": [["name", "specialty", "base_stay_hours"], ["C", "Nadie", 1.5], [None, "Nueva", True]],
    "reasons": [["reason"], ["Dolor"]],
    "Notas": [["Versión 3"]],
}


def csv_in(encoding: str, delimiter: str) -> Callable[[Path], Path]:
    return lambda folder: text_file(folder, SPECIALTIES, "Especialidades.csv", encoding=encoding, delimiter=delimiter)


def hidden(folder: Path, *, bad: bool = False) -> Path:
    surgeries = [
        [inline("Nombre"), inline("Especialidad"), inline("Horas base")],
        *([inline(name), inline("Urología"), number(24)] for name in ("Uno", "Dos", "Tres")),
    ]
    pages = {
        "Especialidades": Page([[inline("Nombre")], [inline("Urología")]]),
        "Cirugías": Page(surgeries, {3: 'hidden="1"'}, '<cols><col min="3" max="9" width="5" hidden="1"/></cols>'),
        "Motivos": Page([[inline("Motivo"), inline("Categoría")], [inline("Tos"), inline("x" if bad else "demora")]]),
    }
    return spreadsheets.write(folder / "hidden.xlsx", pages)


FILES: Sequence[Callable[[Path], Path]] = (
    xlsx,
    xlsx,  # and nothing changes
    lambda folder: xlsx(folder, CHANGED),
    csv_in("utf-8", ","),
    csv_in("cp1252", ";"),
    csv_in("utf-16", "\t"),
    lambda folder: text_file(folder, MIXED),
    lambda folder: text_file(folder, [*MIXED, ["parking", "x"], ["surgery", "y", "Urología", "many"]]),
    lambda folder: text_file(folder, SHEETS["doctors"], "export-2025.csv"),
    lambda folder: xlsx(folder, BAD),
    hidden,
    lambda folder: hidden(folder, bad=True),
)
"""Each is written into a folder."""
REFUSED: Sequence[tuple[str, bytes]] = (
    ("x.xlsx", b"PK\x03\x04 and no more"),
    ("x.xls", b"\xd0\xcf\x11\xe0 old"),
    ("x.csv", b"\x81\x8d\x00"),
    ("x.csv", b""),
    ("surgeries.csv", b""),
    ("x.csv", b"name,colour,size\nA,red,1\n"),
    ("x.csv", b'name\n"unclosed'),
    ("x.csv", b"<html><table>"),
    ("surgeries.csv", "Ginecología".encode("cp850")),
)
"""Name and content."""
