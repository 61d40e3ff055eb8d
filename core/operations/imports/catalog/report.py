"""What a catalog's import did, or why it did nothing."""

from dataclasses import dataclass, field


class NoCatalog(Exception):
    """The file as a whole cannot be read. Its message is for people."""


@dataclass(frozen=True, slots=True)
class SheetProblem:
    """`row` as a spreadsheet counts it, headings included; `column` is its heading."""

    sheet: str
    row: int
    column: str | None
    message: str

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
            lines.append(f"{len(self.problems)} problems: nothing was imported.")
        return "\n".join(lines)
