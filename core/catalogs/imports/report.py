"""What a catalog's import did, or why it did nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.catalogs.imports.saying import Saying, saying
from core.errors import FieldError, Invalid


class NoCatalog(Invalid):
    """The file as a whole cannot be read: why, by a code of SAID."""

    def __init__(self, reason: str, **values: str | int) -> None:
        self.saying = saying(reason, **values)
        message = str(self.saying)
        told = FieldError("body", "no_catalog", message)
        super().__init__(told, detail=message, code="no_catalog", reason=reason, values=values)


@dataclass(frozen=True, slots=True)
class SheetProblem:
    """`row` as a spreadsheet counts it, headings included; `column` is its heading. `message` is for people, and of
    the same meaning as the code (SAID) with its values."""

    sheet: str
    row: int
    column: str | None
    message: str
    code: str = field(default="invalid", compare=False)
    values: Mapping[str, str | int] = field(default_factory=dict, compare=False)

    @classmethod
    def said(cls, sheet: str, row: int, column: str | None, what: Saying) -> "SheetProblem":
        return cls(sheet, row, column, str(what), what.code, what.values)

    def __str__(self) -> str:
        place = f"{self.sheet}, row {self.row}" + (f", {self.column}" if self.column else "")
        return f"{place}: {self.message}"


@dataclass(slots=True)
class CatalogCounts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class CatalogReport:
    """What an import of catalogs did, for people by `str`."""

    kinds: dict[str, CatalogCounts] = field(default_factory=dict)
    problems: list[SheetProblem] = field(default_factory=list)
    """Where there is one, nothing was imported."""
    ignored: list[str] = field(default_factory=list)
    """Sheets of no kind."""
    hidden: list[str] = field(default_factory=list)
    """Sheets, rows and columns that a spreadsheet does not show: they count like the rest."""
    encoding: str | None = None
    """Of a csv file, as it was read."""
    problems_left_out: int = 0
    """How many more there were than `problems` has."""

    @property
    def problems_total(self) -> int:
        return len(self.problems) + self.problems_left_out

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if not self.problems:
            for kind, counts in self.kinds.items():
                lines.append(
                    f"{kind}: {counts.created} created, {counts.updated} updated, {counts.unchanged} unchanged"
                )
        if self.hidden:
            done = "checked" if self.problems else "imported"
            lines.append(f"Hidden in the file, and {done} like the rest: {'; '.join(self.hidden)}.")
        if self.ignored:
            lines.append(f"Ignored sheets: {', '.join(self.ignored)}.")
        if self.problems:
            lines.append(f"{self.problems_total} problems: nothing was imported.")
        return "\n".join(lines)
