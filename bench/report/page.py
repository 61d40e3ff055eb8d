"""bench/README.md: what a person wrote, and below a mark what the last runs found."""

from collections.abc import Mapping, Sequence
from itertools import chain

from bench.report.plot import PLOT, plot
from bench.report.results import ROOT, Part, Table, Target

PAGE = ROOT / "bench" / "README.md"
MARK = "<!-- Below this line, make bench writes. -->"
TARGETS = ("target", "measured", "asked", "")


def write(parts: Mapping[str, Part]) -> None:
    """The page's lower half anew, and the plot."""
    kept = PAGE.read_text().partition(MARK)[0]
    PAGE.write_text(kept + MARK + "\n\n" + "\n".join(lines(list(parts.values()))) + "\n")
    bars = [bar for part in parts.values() for bar in part.bars]
    if bars:
        PLOT.write_text(plot(bars, next(part.made for part in parts.values() if part.bars)))


def lines(parts: Sequence[Part]) -> list[str]:
    """Of the targets of all parts in order, then of each part."""
    found = ["## Targets", "", *table(targets(list(chain(*(part.targets for part in parts)))))]
    for part in parts:
        found += ["", f"## {part.title}", "", f"{part.made}. {part.how}"]
        for each in part.tables:
            found += ["", *([f"**{each.title}**", ""] if each.title else []), *table(each)]
        if part.notes:
            found += ["", *(f"- {note}" for note in part.notes)]
    return found


def targets(of: Sequence[Target]) -> Table:
    rows = []
    for target in sorted(of, key=lambda one: one.number):
        sign = "≥" if target.at_least else "≤"
        rows.append(
            (
                f"{target.number}. {target.text}" + (f" ({target.note})" if target.note else ""),
                "–" if target.measured is None else figure(target.measured),
                "–" if target.wanted is None else f"{sign} {figure(target.wanted)}",
                target.verdict,
            )
        )
    return Table("", TARGETS, rows)


def figure(number: float) -> str:
    """With as many digits as mean something: 0.213, 2.31, 48.2, 1,234."""
    size = abs(number)
    if number == int(number) and size < 1e15:
        return f"{int(number):,}"
    return f"{number:,.0f}" if size >= 100 else f"{number:.1f}" if size >= 10 else f"{number:.2f}"


def table(of: Table) -> list[str]:
    """As markdown; reads well in a terminal, too."""
    widths = [max(len(str(row[column])) for row in (of.columns, *of.rows)) for column in range(len(of.columns))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (str(cell) for cell in cells)
        padded = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        return f"| {' | '.join(padded)} |"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return [line(of.columns), f"|{rule}|", *(line(row) for row in of.rows)]
