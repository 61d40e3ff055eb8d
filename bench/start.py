"""How long `ticket-home serve` takes until it answers (docs/design/performance.md, target 9).

    .venv/bin/python -m bench.start [--rounds 5]

Until /readyz is 200: for the very first time in an empty folder, with servers of its own (PostgreSQL's files are made,
all migrations run); in that folder again; and on existing data of servers that run already, as in production.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import httpx

from bench.report.ending import finish
from bench.report.results import ROOT, Part, Table, Target
from bench.servers.cores import cpu_seconds
from bench.servers.serving import PATIENCE, free_port, ticket_home
from bench.servers.site import site

FIRST, AGAIN, RUNNING = "first start, servers of its own", "again, servers of its own", "servers that run already"
TARGETS = {FIRST: 15.0, AGAIN: 2.0, RUNNING: 2.0}


class Took(NamedTuple):
    seconds: float
    cpu: float
    """CPU seconds of the command and what it started: on a machine with neighbours the steadier figure."""


def until_ready(environment: Mapping[str, str], log: Path) -> Took:
    port = free_port()
    with log.open("wb") as output:
        started = perf_counter()
        server = subprocess.Popen(
            ticket_home(port), cwd=ROOT, env=os.environ | dict(environment), stdout=output, stderr=output
        )
        try:
            while not is_ready(port):
                if server.poll() is not None or perf_counter() - started > 2 * PATIENCE:
                    raise SystemExit(f"ticket-home serve is not ready:\n{log.read_text()[-4000:]}")
                time.sleep(0.01)
            return Took(perf_counter() - started, cpu_seconds(server.pid))
        finally:
            server.terminate()
            server.wait(20)


def is_ready(port: int) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    return False


def measure(rounds: int) -> dict[str, list[Took]]:
    took: dict[str, list[Took]] = {name: [] for name in TARGETS}
    with site(9, 5000) as place:
        for _ in range(rounds):
            took[RUNNING].append(until_ready(place.environment, place.folder / "log"))
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            own = {"TICKET_HOME_DATA_DIR": str(Path(folder) / "data")}
            took[FIRST].append(until_ready(own, Path(folder) / "log"))
            took[AGAIN].append(until_ready(own, Path(folder) / "log"))
    return took


def part(rounds: int) -> Part:
    took = measure(rounds)
    seconds = {name: [one.seconds for one in all_of] for name, all_of in took.items()}
    rows = [
        (name, f"{median(times):.2f}", f"{max(times):.2f}", f"{median(one.cpu for one in took[name]):.2f}")
        for name, times in seconds.items()
    ]
    return Part(
        name="start",
        title="Start",
        how=f"Seconds from the command to the first 200 of /readyz, medians of {rounds}; nothing pinned.",
        tables=[Table("", ("", "median s", "worst s", "CPU s"), rows)],
        targets=[
            Target(9, f"{name}: seconds", median(seconds[name]), wanted, at_least=False)
            for name, wanted in TARGETS.items()
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    finish(part(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
