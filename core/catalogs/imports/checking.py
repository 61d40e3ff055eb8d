"""A file's rows beside those of the catalog. Nothing is written, and all that is wrong is reported at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.catalogs.catalogs import DOCTORS, SPECIALTIES, Catalog
from core.catalogs.imports.file import CatalogSheet, File, SheetRow
from core.catalogs.imports.report import SheetProblem
from core.catalogs.imports.saying import saying
from core.text import folded

There = Mapping[str, list[dict[str, Any]]]
"""Rows of the clinic's catalog, by the catalog's plural."""


@dataclass(slots=True)
class Wanted:
    """One row of the file. `values` are by column of the sheet: a specialty is a name as yet."""

    values: dict[str, Any]
    before: dict[str, Any] | None
    """What is there; None for a new one."""


@dataclass(slots=True)
class CheckedFile:
    """A file's rows beside what is there: what is to be written, and what is wrong."""

    there: There
    problems: list[SheetProblem]
    wanted: dict[str, list[Wanted]] = field(default_factory=dict)
    """By the catalog's plural."""
    specialties: dict[str | None, bool] = field(default_factory=dict)
    """Whether each is in use, once the file is imported; by name in lower case."""
    seen: dict[object, tuple[str, int]] = field(default_factory=dict)
    """Where each row of the file was met first."""


def check(file: File, there: There) -> CheckedFile:
    """What the file asks for beside what is `there`: problems by row and column, and the rows that it makes or changes.
    Raises nothing for what is wrong in the file."""
    found = CheckedFile(there, list(file.problems))
    found.specialties = {_folded(one["name"]): one["is_active"] for one in there[SPECIALTIES.plural]}
    # Specialties first, wherever they stand: the others name them.
    for sheet in sorted(file.sheets, key=lambda sheet: sheet.catalog is not SPECIALTIES):
        _Sheet(found, sheet).check()
    order = {sheet.name: place for place, sheet in reversed([*enumerate(file.sheets)])}
    found.problems.sort(key=lambda one: (order.get(one.sheet, -1), one.row))
    return found


class _Sheet:
    def __init__(self, found: CheckedFile, sheet: CatalogSheet) -> None:
        self.found = found
        self.sheet = sheet
        self.catalog = sheet.catalog
        self.by_key: dict[object, list[dict[str, Any]]] = {}
        for one in found.there[self.catalog.plural]:
            self.by_key.setdefault(key_of(self.catalog, one), []).append(one)
            if one.get("rut") is not None:
                self.by_key.setdefault(one["rut"], []).append(one)

    def check(self) -> None:
        """Add this sheet's problems and wanted rows to what was found."""
        wanted = self.found.wanted.setdefault(self.catalog.plural, [])
        for row in self.sheet.rows:
            values = row.values
            before = self._before(row, values)
            if self._is_new_here(row, values, before):
                self._refer(row, values, before)
                if before is None:
                    values = {column.name: column.default for column in self.catalog.columns} | values
                wanted.append(Wanted(values, before))
                if self.catalog is SPECIALTIES:
                    kept = True if before is None else before["is_active"]
                    self.found.specialties[_folded(values["name"])] = values.get("is_active", kept)

    def _problem(self, row: SheetRow, column: str | None, code: str, **values: str | int) -> None:
        problem = SheetProblem.said(self.sheet.name, row.number, column, saying(code, **values))
        self.found.problems.append(problem)

    def _before(self, row: SheetRow, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The row of the catalog that it is."""
        alike = self.by_key.get(key_of(self.catalog, values), [])
        if self.catalog is not DOCTORS:
            return alike[0] if alike else None
        rut = values.get("rut")
        if rut is not None:
            # Whoever has no RUT yet may be the one who is called so.
            alike = self.by_key.get(rut) or [one for one in alike if one["rut"] is None]
        if len(alike) > 1:
            self._problem(row, "name", "same_name", count=len(alike))
        return alike[0] if alike else None

    def _is_new_here(self, row: SheetRow, values: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
        """Whether no earlier row of the file was the same one."""
        known = key_of(self.catalog, values) if values.get("rut") is None else values["rut"]
        keys = [(self.catalog.plural, known)] + ([(self.catalog.plural, before["id"])] if before is not None else [])
        earlier = [self.found.seen[key] for key in keys if key in self.found.seen]
        if earlier:
            sheet, number = earlier[0]
            self._problem(row, self.catalog.columns[0].name, "repeated", sheet=sheet, number=number)
            return False
        self.found.seen.update(dict.fromkeys(keys, (self.sheet.name, row.number)))
        return True

    def _refer(self, row: SheetRow, values: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
        """A specialty is one of the clinic's or of the file's, and in use; one that a row has already may not be."""
        name = values.get("specialty")
        if name is None:
            return
        if before is not None and _folded(before["specialty"]) == _folded(name):
            return
        is_active = self.found.specialties.get(_folded(name))
        if is_active is None:
            self._problem(row, "specialty", "unknown_specialty")
        elif not is_active:
            self._problem(row, "specialty", "inactive")


def key_of(catalog: Catalog, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """By what a row of the file is known to be one that is there. Doctors have the RUT, too, which comes first."""
    name, *equal = catalog.told_apart_by or (catalog.columns[0].name,)
    return (_folded(values[name]), *(values[one] for one in equal))


def _folded(name: Any) -> str | None:
    return None if name is None else folded(str(name))
