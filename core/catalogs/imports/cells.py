"""How headings are known and cells are read, by what a catalog's columns hold. Pure.

Catalogs are kept by people whose spreadsheets speak Spanish: headings and words are taken in both languages.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from typing import Any

from core.catalogs import columns
from core.catalogs.catalogs import CATALOGS, Catalog
from core.catalogs.columns import Column
from core.catalogs.imports.saying import saying
from core.rut import normal_rut
from core.text import clean


class BadCell(ValueError):
    """A cell that cannot be read as what its column holds."""

    def __init__(self, code: str, **values: str | int) -> None:
        self.saying = saying(code, **values)
        super().__init__(str(self.saying))


def word(text: object) -> str:
    """By which headings, sheets and fixed words are known: `Horas base` → `horas_base`."""
    plain = unicodedata.normalize("NFKD", clean(str(text)))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return "_".join(plain.lower().replace("-", " ").replace("_", " ").split())


LOST = "\ufffd"
"""In place of a character that a program could not read."""
ERRORS = frozenset(
    {
        *("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA"),
        *("#N/D", "#¡REF!", "#¡VALOR!", "#¿NOMBRE?", "#¡DIV/0!", "#¡NUM!", "#¡NULO!"),
    }
)
"""What failed formulas leave in a csv file, in English and Spanish."""


def text(most: int) -> Callable[[Any], str]:
    """Reads a text of at most `most` characters; a number is its digits. The reader raises BadCell."""

    def read(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise BadCell("no_text")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        found = clean(str(value))
        if len(found) > most:
            raise BadCell("too_long", most=most)
        if not found.isprintable() or LOST in found:
            raise BadCell("unreadable_text")
        if found in ERRORS:
            raise BadCell("shows_error", shown=found)
        return found

    return read


WHOLE = re.compile(r"([0-9]{1,9})(?:[.,]0{1,2})?")
GROUPED = re.compile(r"[0-9]{1,3}(?:[., '’\u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?")
"""`1.000` is a thousand to people here, and one to programs."""


def integer(least: int, most: int) -> Callable[[Any], int]:
    """Reads a whole number from `least` to `most`, inclusive. The reader raises BadCell, also for `1.000`, which may be
    a thousand or one."""

    def read(value: Any) -> int:
        written = clean(value) if isinstance(value, str) else None
        if written is not None and GROUPED.fullmatch(written):
            raise BadCell("grouped_digits", written=written)
        if isinstance(value, bool):
            found = None
        elif isinstance(value, int | float):
            found = int(value) if float(value).is_integer() else None
        else:
            digits = WHOLE.fullmatch(written) if written is not None else None
            found = int(digits[1]) if digits else None
        if found is None or not least <= found <= most:
            raise BadCell(f"{_instead(value)}_whole_number", least=least, most=most)
        return found

    return read


def _instead(value: Any) -> str:
    """What a cell holds, where that may not be what it shows: how a code begins."""
    if isinstance(value, bool):
        return "flag_for"
    return "date_for" if isinstance(value, date | time | timedelta) else "no"


YES = frozenset({"true", "yes", "y", "si", "s", "x", "verdadero", "activo", "activa"})
NO = frozenset({"false", "no", "n", "falso", "inactivo", "inactiva"})
FLAGS = {"1": True, "0": False} | dict.fromkeys(YES, True) | dict.fromkeys(NO, False)


def flag(value: Any) -> bool:
    """Yes and no in both languages, 0 and 1, and a spreadsheet's own TRUE and FALSE."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        known = {0.0: False, 1.0: True}.get(float(value))
    else:
        written = clean(value) if isinstance(value, str) else ""
        # By the words' own letters, but by the digits as they are: other scripts have digits, too.
        known = FLAGS.get(written if written in FLAGS or any(map(str.isnumeric, written)) else word(written))
    if known is None:
        raise BadCell(f"{_instead(value)}_flag")
    return known


def rut(value: Any) -> str:
    """A RUT in its normal form (core/rut.py). Raises BadCell."""
    found = normal_rut(text(20)(value).upper())
    if found is None:
        raise BadCell("invalid_rut")
    return found


def one_of(meanings: Mapping[str, str]) -> Callable[[Any], str]:
    """Reads one of the words of `meanings`, in any case and without accents, as what it means. The reader raises
    BadCell."""

    def read(value: Any) -> str:
        found = meanings.get(word(value))
        if found is None:
            raise BadCell("no_such_word", words=" or ".join(dict.fromkeys(meanings.values())))
        return found

    return read


def reader_of(column: Column) -> Callable[[Any], Any]:
    """Gives what a filled cell says. It raises BadCell."""
    match column.holds:
        case columns.Text(most):
            return text(most)
        case columns.Whole(least, most):
            return integer(least, most)
        case columns.Flag():
            return flag
        case columns.Rut():
            return rut
        case columns.Word(meanings):
            return one_of(meanings)


def column_called(catalog: Catalog, heading: str) -> Column | None:
    """The column whose heading this is, by any of its names; None for an unknown one."""
    known = word(heading)
    return next((column for column in catalog.columns if known == column.name or known in column.also), None)


def catalog_called(name: object) -> Catalog | None:
    """The catalog whose sheet is called so, by any of its names; None for an unknown one."""
    known = word(name)
    return next((catalog for catalog in CATALOGS if known == catalog.plural or known in catalog.also), None)


def headings_of(catalog: Catalog) -> str:
    """For people: `name*, specialty, category* (modification, annulment)`; `*` is required."""
    return ", ".join(_heading(column) for column in catalog.columns)


def _heading(column: Column) -> str:
    words = dict.fromkeys(column.holds.meanings.values()) if isinstance(column.holds, columns.Word) else ()
    return column.name + "*" * column.required + (f" ({', '.join(words)})" if words else "")
