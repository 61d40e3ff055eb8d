"""What each kind of sheet holds: its columns, how they may be called, and how a cell is read. Pure.

Catalogs are kept by people whose spreadsheets speak Spanish: headings and words are taken in both languages.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.catalogs.kinds import DOCTOR, REASON, SPECIALTY, SURGERY, Kind
from core.rut import normal_rut


class BadCell(Exception):
    """With a message for people."""


def word(text: object) -> str:
    """By which headings, sheets and fixed words are known: `Horas base` → `horas_base`."""
    plain = unicodedata.normalize("NFKD", str(text))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return "_".join(plain.lower().replace("-", " ").replace("_", " ").split())


def text(most: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise BadCell("must be a text")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        found = " ".join(str(value).split())
        if len(found) > most:
            raise BadCell(f"has more than {most} characters")
        if not found.isprintable():
            raise BadCell("has characters that are no text")
        return found

    return read


def integer(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        try:
            found = float(value) if not isinstance(value, bool) else None
        except (TypeError, ValueError):
            found = None
        if found is None or not found.is_integer() or not least <= found <= most:
            raise BadCell(f"must be a whole number from {least} to {most}")
        return int(found)

    return read


YES = frozenset({"true", "yes", "y", "1", "si", "s", "x", "verdadero", "activo", "activa"})
NO = frozenset({"false", "no", "n", "0", "falso", "inactivo", "inactiva"})


def flag(value: Any) -> bool:
    known = word(int(value) if isinstance(value, bool | float) else value)
    if known not in YES | NO:
        raise BadCell("must be yes or no")
    return known in YES


def rut(value: Any) -> str:
    found = normal_rut(text(20)(value).upper())
    if found is None:
        raise BadCell("is no RUT, or its verifier digit is wrong")
    return found


CATEGORIES = {
    "modification": "modification",
    "modificacion": "modification",
    "annulment": "annulment",
    "anulacion": "annulment",
}


def category(value: Any) -> str:
    found = CATEGORIES.get(word(value))
    if found is None:
        raise BadCell("must be modification or annulment")
    return found


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    read: Callable[[Any], Any]
    required: bool = False
    default: Any = None
    """Of a new row whose cell is blank, or whose column is absent."""
    nullable: bool = False
    """A blank cell clears it."""
    also: tuple[str, ...] = ()
    """What the heading may say instead."""


@dataclass(frozen=True, slots=True)
class SheetKind:
    name: str
    kind: Kind
    columns: tuple[Column, ...]
    also: tuple[str, ...]
    telling: frozenset[str] = field(default_factory=frozenset)
    """Columns that none of the kinds after it has."""

    def column(self, heading: str) -> Column | None:
        known = word(heading)
        return next((column for column in self.columns if known == column.name or known in column.also), None)


_ACTIVE = Column("is_active", flag, default=True, also=("active", "activo", "activa"))
_NAME = ("nombre",)
_SPECIALTY = ("especialidad",)

SPECIALTIES = SheetKind(
    "specialties",
    SPECIALTY,
    (Column("name", text(120), required=True, also=_NAME), _ACTIVE),
    ("specialty", "especialidades"),
)
SURGERIES = SheetKind(
    "surgeries",
    SURGERY,
    (
        Column("name", text(200), required=True, also=(*_NAME, "cirugia")),
        Column("specialty", text(120), required=True, also=_SPECIALTY),
        Column("base_stay_hours", integer(1, 2160), required=True, also=("hours", "horas", "horas_base")),
        Column("applies_ticket_home", flag, default=True, also=("aplica_ticket_home", "aplica")),
        Column("is_ambulatory", flag, default=False, also=("ambulatory", "ambulatoria", "ambulatorio")),
        Column("ambulatory_cutoff_hour", integer(0, 23), nullable=True, also=("cutoff_hour", "hora_corte")),
        _ACTIVE,
    ),
    ("surgery", "cirugias"),
    frozenset({"base_stay_hours"}),
)
DOCTORS = SheetKind(
    "doctors",
    DOCTOR,
    (
        Column("name", text(200), required=True, also=(*_NAME, "medico")),
        Column("specialty", text(120), nullable=True, also=_SPECIALTY),
        Column("rut", rut, nullable=True),
        _ACTIVE,
    ),
    ("doctor", "medicos", "doctores"),
    frozenset({"rut", "specialty"}),
)
REASONS = SheetKind(
    "reasons",
    REASON,
    (
        Column("reason", text(500), required=True, also=("motivo",)),
        Column("category", category, required=True, also=("categoria",)),
        _ACTIVE,
    ),
    ("reason", "motivos", "razones"),
    frozenset({"reason", "category"}),
)
KINDS = (SPECIALTIES, SURGERIES, DOCTORS, REASONS)
"""In the order in which they refer to each other."""


def kind_called(name: object) -> SheetKind | None:
    known = word(name)
    return next((kind for kind in KINDS if known == kind.name or known in kind.also), None)
