"""The columns of a catalog: what people write of a row, in a request or a spreadsheet, within which bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """A column of text."""

    most: int
    """Characters."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A column of whole numbers, both bounds included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""


@dataclass(frozen=True, slots=True)
class Rut:
    """Stored in its normal form (core/rut.py)."""


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few."""

    meanings: Mapping[str, str]
    """What is stored, by how it may be written: in lower case, without accents."""


Holds = Text | Whole | Flag | Rut | Word


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a catalog, as clients send it and as a sheet has it."""

    name: str
    """As in the table, and as a sheet's heading."""
    holds: Holds
    required: bool = False
    default: Any = None
    """Of a new row whose cell is blank, or whose column is absent."""
    nullable: bool = False
    """A blank cell clears it."""
    also: tuple[str, ...] = ()
    """What the heading may say instead: in lower case, without accents."""
    is_unique: bool = False
    """No two rows of a clinic have the same."""
    refers_by: str | None = None
    """The table's column, where a sheet has the name of what that refers to: `specialty_id`."""
    example: Any = None
    """For whoever reads the contract, as the two after it."""
    meaning: str | None = None
    meaning_of_change: str | None = None
    """Where a change of it means something else."""

    @property
    def field(self) -> str:
        """Its column in the table."""
        return self.refers_by or self.name
