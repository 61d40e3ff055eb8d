"""A catalog of all kinds, as a workbook."""

from collections.abc import Mapping
from pathlib import Path

from openpyxl import Workbook

from tests.core.catalogs.imports.spreadsheets import Table

SHEETS: Mapping[str, Table] = {
    "Notas": [["Versión 3"]],
    "doctors": [["name", "specialty", "rut"], ["Dra. Muñoz", "urología", "7.654.321-6"], ["Dr. Pérez", None, None]],
    "specialties": [["name", "is_active"], ["Urología", None], ["Pediatría", "no"]],
    "surgeries": [
        ["name", "specialty", "base_stay_hours", "is_ambulatory", "ambulatory_cutoff_hour"],
        ["Circuncisión", "Urología", 6, True, 16],
        [],
        ["Prostatectomía", "UROLOGÍA", 72.0, None, None],
    ],
    "reasons": [["reason", "category"], ["Dolor", "modification"], ["Error de ingreso", "Anulación"]],
}


def xlsx(folder: Path, sheets: Mapping[str, Table] = SHEETS) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, table in sheets.items():
        sheet = book.create_sheet(name)
        for row in table:
            sheet.append(row)
    path = folder / "catalog.xlsx"
    book.save(path)
    return path
