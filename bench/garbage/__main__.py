"""What Python's garbage collector costs who waits: its thresholds, beside each other.

    .venv/bin/python -m bench.garbage [--seconds 15] [--sessions 10000] [--rate 150] [--rounds 3]

A worker that holds so many sessions, and as many entries as it has room for, is asked in an open loop for what makes
objects: boards, lists and dashboards that nobody asked for before, and hits between them. Told are the times that were
waited, the full collections of the worker, and how long its longest collection held everybody up. `off` is what no
threshold can better.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice
from random import Random
from statistics import median

from api.server.application import COLLECTED_AFTER
from bench.load.heads import HOST, Asked, request
from bench.load.one import exchanges
from bench.load.open import open_loop
from bench.servers.cores import Cores
from bench.servers.serving import python_module, serving
from bench.servers.site import Site, site

THRESHOLDS = {
    "as Python has it": (700, 10, 10),
    "as it serves": COLLECTED_AFTER,
    "fewer full ones": (10_000, 10, 10),
    "fewer of all": (50_000, 20, 100),
    "off": (0, 0, 0),
}
CONNECTIONS = 16
ENTRIES = 4000
"""Dashboards in the cache before anything is measured."""
PAGES = ("/v1/nursing-board", "/v1/tickets?limit=50")
Bearer = dict[str, str]


@dataclass(frozen=True)
class Waited:
    """Milliseconds that answers of one round took, and what the worker's collector did until its end."""

    p50: float
    p99: float
    p999: float
    most: float
    young: float
    middle: float
    full: float
    """Collections of each generation."""
    young_ms: float
    middle_ms: float
    full_ms: float
    """The longest of each, which everybody waits for: milliseconds of CPU."""
    spent: float
    """Milliseconds of CPU, all collections together."""


def measured(
    place: Site, cores: Cores, thresholds: Sequence[int], sessions: list[Bearer], rate: float, seconds: float
) -> Waited:
    notes = place.folder / "collections"

    def command(port: int) -> list[str]:
        serve = ("serve", "--workers", "1", "--port", str(port))
        return python_module("bench.garbage.worker", str(notes), ",".join(map(str, thresholds)), *serve)

    admins, fresh = sessions[: len(place.prefixes)], count()
    with serving(cores, command, place.environment, place.folder / "log") as up:
        held = [Asked("/v1/surgeries", bearer) for bearer in sessions]
        held += [dashboard(bearer, next(fresh)) for bearer in islice(cycle(admins), ENTRIES)]
        wrong = [one.head for one in exchanges(up.port, (request(each, HOST) for each in held)) if one.status != 200]
        asked = [mixed(admins, fresh, Random(number)) for number in range(CONNECTIONS)]
        found = open_loop(up.port, asked, lambda head: head.startswith(b"HTTP/1.1 200"), rate=rate, seconds=seconds)
    if wrong or found.errors:
        raise SystemExit(str(wrong[:1] or found.unexpected))
    told = json.loads(notes.read_text())
    times = sorted(1000 * took for took in found.times)
    waited = [times[int(share * (len(times) - 1))] for share in (0.5, 0.99, 0.999, 1)]
    pauses = [1000 * longest for longest in told["longest"]]
    return Waited(*[*waited, *told["counts"], *pauses, 1000 * sum(told["seconds"])])


def dashboard(bearer: Bearer, number: int) -> Asked:
    """One that nobody asked for before, of days on which there is nothing."""
    year, day = divmod(number, 28 * 12)
    return Asked(f"/v1/dashboard?date_from={1985 + year}-{1 + day // 28:02}-{1 + day % 28:02}", bearer)


def mixed(admins: list[Bearer], fresh: Iterator[int], rng: Random) -> Iterator[bytes]:
    """Of ten requests six hits, two pages and two misses, on average."""
    while True:
        bearer, kind = rng.choice(admins), rng.randrange(10)
        asked = dashboard(bearer, next(fresh)) if kind < 2 else Asked(rng.choice(PAGES), bearer)
        yield request(asked if kind < 4 else Asked("/v1/dashboard", bearer), HOST)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("seconds", 15), ("sessions", 10_000), ("rate", 150), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    asked = parser.parse_args()
    cores = Cores()
    with site(20, 20_000) as place:
        sessions = place.sessions_of_all(-(-asked.sessions // len(place.prefixes)))
        rounds: dict[str, list[Waited]] = {name: [] for name in THRESHOLDS}
        for number in range(asked.rounds):
            for name in list(THRESHOLDS)[:: -1 if number % 2 else 1]:
                one = measured(place, cores, THRESHOLDS[name], sessions, asked.rate, asked.seconds)
                rounds[name].append(one)
    columns = list(Waited.__annotations__)
    print(f"{'':<20}" + "".join(f"{column:>11}" for column in columns))
    for name, ones in rounds.items():
        print(f"{name:<20}" + "".join(f"{median(getattr(one, column) for one in ones):>11.2f}" for column in columns))


if __name__ == "__main__":
    main()
