"""Half an hour of varied reads and writes: what a worker's memory does (docs/design/performance.md, target 8).

    .venv/bin/python -m bench.soak [--minutes 30] [--rate 20]

One worker, an entries' bound that is reached within minutes, ten clinics, and people who do what people do all day:
dashboards of any month, boards and lists that are filtered, searched and turned, tickets that are made, moved,
modified and discharged, sign-ins, mistakes, sheets. What the memory is made of is told each minute, and at the end
which of Python's objects have become more. It is memory that is measured: a neighbour's work does not matter.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.load.heads import HOST, Asked, request
from bench.load.one import exchanges
from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from bench.servers.cores import cpu_seconds
from bench.servers.install import ROOT
from bench.servers.serving import serving
from bench.servers.site import site
from bench.soak.load import People, Ward

BOUND = 8 * 1024 * 1024
"""Of the cache: so that it is passed within minutes."""
FLAT = 1.03
MB = 1e6
COLUMNS = {
    **{"pss": "MB", "anonymous": "in no file", "python_used": "Python's blocks", "python_held": "their arenas"},
    **{"malloc_used": "malloc, used", "malloc_free": "malloc, free", "malloc_mapped": "mapped"},
}
Note = dict[str, Any]


def soaked(asked: argparse.Namespace) -> Part:
    with site(10, 20_000) as place:
        notes = place.folder / "notes"
        notes.touch()

        def command(port: int) -> list[str]:
            module = [sys.executable, "-m", "bench.soak.worker", str(notes), str(asked.every)]
            return [*module, "serve", "--port", str(port)]

        environment = place.environment | {"CACHE_MEMORY_BYTES": str(BOUND), "LOGIN_LIMIT_USER": "100000/hour"}
        environment |= {"LOGIN_LIMIT_ADDRESS": "100000/hour", "EXPORT_LIMIT": "100000/hour"}
        environment |= {"PYTHONPATH": str(ROOT)}
        with serving(None, command, environment, place.folder / "log") as up:
            (superuser, *bearers) = asyncio.run(place.sessions(["superuser", *admins(place.prefixes)]))
            wards = [Ward(name, bearer) for name, bearer in zip(admins(place.prefixes), bearers, strict=True)]
            people = People(up.port, wards, superuser)
            began, used = perf_counter(), cpu_seconds(up.process)
            asyncio.run(people.ask(began + asked.minutes * 60, asked.rate))
            busy = (cpu_seconds(up.process) - used) / (perf_counter() - began)
            list(exchanges(up.port, [request(Asked("/livez", {}), HOST)]))
        if people.wrong:
            raise SystemExit(f"{len(people.wrong)} answers that nobody should get; the first:\n{people.wrong[0]}")
        return told(asked, read(notes), people, busy)


def admins(prefixes: Sequence[str]) -> list[str]:
    return [f"admin_{prefix}" for prefix in prefixes]


def read(notes: Path) -> list[Note]:
    return [json.loads(line) for line in notes.read_text().splitlines()]


def told(asked: argparse.Namespace, notes: Sequence[Note], people: People, busy: float) -> Part:
    kinds = people.asked
    third = max(1, len(notes) // 3)
    middle, last = notes[-2 * third : -third] or notes[:1], notes[-third:]
    grown = of(last, "anonymous") / of(middle, "anonymous")
    rows = []
    for number, note in enumerate(notes):
        cells = [f"{note[name] / MB:.1f}" for name in COLUMNS]
        counts = [f"{note[name]:,}" for name in ("objects", "remembered", "threads", "files")]
        counts.append(" / ".join(map(str, note["collections"])))
        rows.append((f"{(number + 1) * asked.every / 60:g}", *cells, *counts))
    before: dict[str, int] = middle[0]["types"]
    after: dict[str, int] = last[-1]["types"]
    more = [(name, after[name] - number) for name, number in before.items() if after.get(name, 0) > number]
    more.sort(key=lambda one: -one[1])
    return Part(
        name="soak",
        title="A soak",
        how=f"{asked.minutes:g} minutes, {kinds.total():,} things done, {asked.rate:g} a second; the worker took"
        f" {busy:.0%} of a core. CACHE_MEMORY_BYTES of {BOUND / MB:.1f} MB. One worker's PSS; what stands in no file is"
        " its own.",
        tables=[
            Table("", ("minute", *COLUMNS.values(), "objects", "remembered", "threads", "files", "collections"), rows),
            Table(
                "Objects that there are more of than at the start of the middle third",
                ("type", "more"),
                [(name, f"{number:,}") for name, number in more[:12]],
            ),
        ],
        targets=[
            Target(
                8, "a soak: memory of its own in the last third, of that in the middle one", grown, FLAT, at_least=False
            )
        ],
        notes=[
            ", ".join(f"{name} {number:,}" for name, number in kinds.most_common()),
            f"{people.busy:,} answers were 503: the machine was busy",
        ],
    )


def of(notes: Sequence[Note], name: str) -> float:
    return float(statistics.median(note[name] for note in notes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=20, help="things done a second")
    parser.add_argument("--every", type=float, default=60, help="seconds between two notes")
    parser.add_argument("--keep", action="store_true", help="the table takes its place in bench/README.md")
    asked = parser.parse_args()
    finish(soaked(asked), kept=asked.keep)


if __name__ == "__main__":
    main()
