"""What the bench found, as markdown, as a plot, and kept between runs."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.report import page
from bench.report.plot import plot
from bench.report.results import Part, Table, Target, save, saved

PART = Part(
    name="hits",
    title="Hits",
    how="One round.",
    tables=[Table("", ("answer", "answers/s"), [("raw ASGI", "40,000"), ("ours", "80,000")])],
    targets=[Target(1, "of raw ASGI", 2.0, 2.0), Target(2, "its time", 1.5, 1.0, at_least=False)],
    bars=[("raw & <ASGI>", 1.0, False), ("ours", 2.0, True)],
    made="today",
)


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target(1, "", 2.0, 2.0), "met"),
        (Target(1, "", 1.9, 2.0), "missed"),
        (Target(1, "", 1.0, 1.0, at_least=False), "met"),
        (Target(1, "", 1.1, 1.0, at_least=False), "missed"),
        (Target(1, "", None, 2.0), "not measured"),
        (Target(1, "", 2.0, None), "–"),
    ],
)
def test_a_target_is_met_at_its_figure_and_on_its_better_side(target: Target, verdict: str) -> None:
    assert target.verdict == verdict


def test_a_table_is_markdown_with_its_columns_under_each_other() -> None:
    assert page.table(PART.tables[0]) == [
        "| answer   | answers/s |",
        "|----------|----------:|",
        "| raw ASGI |    40,000 |",
        "| ours     |    80,000 |",
    ]


@pytest.mark.parametrize(
    ("number", "text"), [(0.2134, "0.21"), (2.0, "2"), (12.34, "12.3"), (1234.5, "1,234"), (0.95, "0.95")]
)
def test_a_figure_has_as_many_digits_as_mean_something(number: float, text: str) -> None:
    assert page.figure(number) == text


def test_targets_of_all_parts_come_first_and_in_order() -> None:
    earlier = Part("writes", "Writes", "", [], [Target(7, "rate", None, 0.8, note="no disk")], made="")
    lines = page.lines([earlier, PART])
    assert lines[0] == "## Targets"
    assert [line.split("|")[1].strip() for line in lines[4:7]] == ["1. of raw ASGI", "2. its time", "7. rate (no disk)"]


def test_what_one_part_found_stays_until_that_part_runs_again(tmp_path: Path) -> None:
    kept, other = tmp_path / "last.json", Part("start", "Start", "", [], made="")
    save(PART, kept)
    save(other, kept)
    save(PART, kept)
    assert list(saved(kept)) == ["hits", "start"]
    assert page.lines([saved(kept)["hits"]]) == page.lines([PART])


def test_a_plot_is_xml_with_a_bar_for_each_the_quickest_first() -> None:
    drawn = ElementTree.fromstring(plot(PART.bars, "today"))  # noqa: S314  our own
    space = "{http://www.w3.org/2000/svg}"
    bars = [float(bar.attrib["width"]) for bar in drawn.iter(f"{space}rect")]
    assert bars[0] == pytest.approx(2 * bars[1], rel=0.01)
    assert "raw & <ASGI>" in [text.text for text in drawn.iter(f"{space}text")]
