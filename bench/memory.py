"""What a worker holds (docs/design/performance.md, target 8).

    .venv/bin/python -m bench.memory [--sessions 10000] [--keys 20000]

Pages of one worker that nobody else has (PSS), one after the other: idle, after as many live sessions have each read
something, after more dashboards were asked for than its cache may hold.
"""

import argparse
import re
import time
from collections.abc import Iterator
from itertools import cycle, islice

import httpx

from bench.load.heads import HOST, Asked, request
from bench.load.one import exchanges
from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from bench.servers.cores import resident_bytes
from bench.servers.serving import Up, serving, ticket_home
from bench.servers.site import Site, site

BOUND = 8 * 1024 * 1024
"""Of the cache: so that it is passed within seconds. What is asked is the same for any."""
MOST = 200.0
"""MB over the idle process."""
SETTLED = 2.0
MB = 1e6


def part(asked: argparse.Namespace) -> Part:
    with site(20, 20_000) as place:
        environment = place.environment | {"CACHE_MEMORY_BYTES": str(BOUND)}
        with serving(None, ticket_home, environment, place.folder / "log") as up:
            first = place.sessions_of_all()
            ask(up, (Asked("/v1/surgeries", bearer) for bearer in first))
            idle = held(up)
            ask(up, (Asked("/v1/surgeries", bearer) for bearer in sessions(place, asked.sessions)))
            signed_in = held(up)
            ask(up, dashboards(first, asked.keys))
            full, entries = held(up), metric(up, "ticket_home_cache_memory_bytes")
    return told(asked, idle, signed_in, full, entries)


def sessions(place: Site, wanted: int) -> list[dict[str, str]]:
    return place.sessions_of_all(-(-wanted // len(place.prefixes)))[:wanted]


def dashboards(bearers: list[dict[str, str]], wanted: int) -> Iterator[Asked]:
    """Of as many keys, in turns of all clinics."""
    for number, bearer in enumerate(islice(cycle(bearers), wanted)):
        day = number // len(bearers)
        target = f"/v1/dashboard?date_from={1985 + day // 336}-{1 + day // 28 % 12:02}-{1 + day % 28:02}"
        yield Asked(target, bearer)


def ask(up: Up, asked: Iterator[Asked]) -> None:
    for answer in exchanges(up.port, (request(each, HOST) for each in asked)):
        if answer.status != 200:
            raise SystemExit(answer.head.decode())


def held(up: Up) -> float:
    """MB, once what is done in the background is done."""
    time.sleep(SETTLED)
    return resident_bytes(up.process) / MB


def metric(up: Up, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{up.port}/metrics").text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    if found is None:
        raise SystemExit(f"/metrics has no {name}")
    return float(found[1])


def told(asked: argparse.Namespace, idle: float, signed_in: float, full: float, entries: float) -> Part:
    rows = [
        ("idle, 20 sessions", f"{idle:.1f}", ""),
        (f"{asked.sessions:,} sessions", f"{signed_in:.1f}", f"{signed_in - idle:.1f}"),
        (f"and {asked.keys:,} dashboards asked for", f"{full:.1f}", f"{full - idle:.1f}"),
    ]
    bound = BOUND / MB
    return Part(
        name="memory",
        title="Memory of a worker",
        how=f"PSS of `ticket-home serve` with one worker, and CACHE_MEMORY_BYTES of {bound:.1f} MB.",
        tables=[Table("", ("", "MB", "over idle"), rows)],
        targets=[
            Target(8, "the cache's entries, of their bound", entries / BOUND, 1.0, at_least=False),
            Target(
                8,
                f"{asked.sessions:,} sessions: MB over the idle process, the cache's bound left out",
                signed_in - idle,
                MOST,
                at_least=False,
                note="event streams: bench.events",
            ),
            Target(8, "the same with a full cache, its bound left out", full - idle - bound, MOST, at_least=False),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("sessions", 10_000), ("keys", 5000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    finish(part(parser.parse_args()))


if __name__ == "__main__":
    main()
