"""Answers from the cache, beside what else one could build (docs/design/performance.md, targets 1 and 2).

    .venv/bin/python -m bench.hits [--quick] [--rounds 3] [--seconds 0.7]

All servers are up at once and asked one at a time, in interleaved rounds; bench/README.md says how in full.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from statistics import median

from bench.hits import cases
from bench.hits.measure import Round, Row, measure, measure_open, median_of
from bench.hits.signing_in import CLINICS, TICKETS
from bench.hits.stand import Stand, Start
from bench.hits.targets import targets
from bench.report.ending import finish
from bench.report.results import Part, Table
from bench.report.versions import versions
from bench.servers.cores import Cores
from bench.servers.site import site

COLUMNS = (
    *("answer", "way", "answers/s", "of raw ASGI", "by CPU", "of empty route", "p50 ms", "p99 ms", "open p99 ms"),
    *("CPU µs", "waited", "load busy", "bytes"),
)
WARM = 0.15
DISTURBED = 0.1
"""Of the time without a core, above which a run is told to be disturbed."""


def part(asked: argparse.Namespace) -> Part:
    cores = Cores()
    with site(CLINICS, TICKETS) as place, ExitStack() as stack:
        print("Starting the servers …", flush=True)
        stands, skipped = Start(stack, cores, place).stands()
        rounds: dict[str, list[Round]] = {stand.case.name: [] for stand in stands}
        for number in range(asked.rounds):
            print(f"round {number + 1} of {asked.rounds} …", flush=True)
            in_order = stands if number % 2 == 0 else stands[::-1]
            for stand, measured in one_round(in_order, asked.seconds, asked.open_seconds):
                rounds[stand.case.name].append(measured)
    rows = [median_of(stand, rounds[stand.case.name]) for stand in stands]
    how = (
        f"32 connections, 8 where PostgreSQL answers; medians of {asked.rounds} rounds of {asked.seconds:g} s; {cores}"
    )
    return told(rows, skipped, how)


def one_round(stands: Sequence[Stand], seconds: float, open_seconds: float) -> "list[tuple[Stand, Round]]":
    found = [(stand, measure(stand, seconds=seconds, warm=WARM)) for stand in stands]
    # Half of what the slowest of those that are asked so can do: nobody is near its limit.
    lowest = min(measured.rate for stand, measured in found if stand.case.opened) / 2
    return [
        (stand, replace(measured, open_p99=measure_open(stand, rate=lowest, seconds=open_seconds)))
        if stand.case.opened
        else (stand, measured)
        for stand, measured in found
    ]


def told(rows: Sequence[Row], skipped: Sequence[str], how: str) -> Part:
    by_name = {row.name: row for row in rows}
    raw, empty = by_name[cases.RAW].figures, by_name[cases.EMPTY].figures
    void = [f"VOID: {row.name}: {row.figures.void}".replace("\n", " ⏎ ") for row in rows if row.figures.void]
    drawn = [row for row in rows if row.figures.cpu and not row.figures.void and row.name not in cases.DATABASE]
    return Part(
        name="hits",
        title="Answers from the cache, beside others",
        how=f"{how}. {versions()}.",
        tables=[Table("", COLUMNS, [line(row, raw, empty) for row in rows])],
        targets=targets(by_name),
        notes=[*skipped, *disturbed(rows), *void],
        bars=[(label(row), raw.cpu / row.figures.cpu, row.is_ours) for row in drawn],
    )


def disturbed(rows: Sequence[Row]) -> list[str]:
    waited = median(row.figures.waited for row in rows)
    if waited < DISTURBED:
        return []
    return [
        f"DISTURBED: the servers waited for their core {waited:.0%} of the time, for other processes had it. "
        "Rates and times are of little worth then; the ratios by CPU still hold."
    ]


def label(row: Row) -> str:
    return f"ours: {row.name}" if row.is_ours else row.name


def line(row: Row, raw: Round, empty: Round) -> list[str]:
    of = row.figures
    if of.void:
        return [label(row), row.way, "void", *[""] * (len(COLUMNS) - 3)]
    opened = "" if of.open_p99 is None else f"{of.open_p99:.1f}"
    by_cpu = f"{raw.cpu / of.cpu:.2f}" if of.cpu else ""
    rates = (f"{of.rate:,.0f}", f"{of.rate / raw.rate:.2f}", by_cpu, f"{of.rate / empty.rate:.2f}")
    times = (f"{of.p50:.2f}", f"{of.p99:.2f}", opened, f"{of.cpu:,.0f}")
    return [label(row), row.way, *rates, *times, f"{of.waited:.0%}", f"{of.busy:.0%}", f"{of.size:,}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three short rounds")
    parser.add_argument("--rounds", type=int, default=3, help="five and more where two rows are within 10 %%")
    parser.add_argument("--seconds", type=float)
    asked = parser.parse_args()
    asked.seconds = asked.seconds or (0.3 if asked.quick else 0.7)
    asked.open_seconds = 0.5 if asked.quick else 1.0
    finish(part(asked), kept=not asked.quick)


if __name__ == "__main__":
    main()
