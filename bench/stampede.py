"""Many who ask for the same at once, and it is nowhere yet (docs/design/performance.md, target 5).

    .venv/bin/python -m bench.stampede [--clients 500] [--workers 2] [--rounds 7]

In turns: one client alone asks for a dashboard that nobody has asked for (the computation); all ask for another one,
each on a connection of its own; all ask for it again, by way of the router. The load shares the machine with the
workers.
"""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from statistics import median

from bench.flush import computations
from bench.hits.cases import UNPREPARED
from bench.load.burst import burst
from bench.load.closed import connected, without_collections
from bench.load.heads import HOST, Asked, request
from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from bench.servers.serving import serving, ticket_home
from bench.servers.site import site

MOST = 1.2
"""Of the time of as many routed hits, what may come on top of one computation."""


def is_answered(answer: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 200")


class Crowd:
    def __init__(self, port: int, bearer: dict[str, str], clients: int) -> None:
        self._port, self._bearer, self._clients = port, bearer, clients
        self._days = count()

    def measure(self) -> tuple[float, float, float]:
        """Seconds: one computation, all at an empty key, all as routed hits."""
        return self._asked(1, self._new(), {}), self._asked(self._clients, at := self._new(), {}), self._hits(at)

    def _hits(self, target: str) -> float:
        return self._asked(self._clients, target, UNPREPARED)

    def _new(self) -> str:
        """A dashboard that nobody has asked for, and that counts all of the clinic's tickets."""
        day = next(self._days)
        return f"/v1/dashboard?date_from={1990 + day // 28}-01-{1 + day % 28:02}"

    def _asked(self, clients: int, target: str, headers: dict[str, str]) -> float:
        head = request(Asked(target, self._bearer | headers), HOST)
        alive = request(Asked("/v1/auth/me", self._bearer), HOST)
        with (
            connected(self._port, [_first(alive, head) for _ in range(clients)]) as (poll, askers),
            without_collections(),
        ):
            burst(poll, askers, is_answered)  # every connection is open, and every worker knows the session
            seconds, errors = burst(poll, askers, is_answered)
        if errors:
            raise SystemExit(f"{errors} of {clients} were not answered with 200")
        return seconds


def _first(one: bytes, other: bytes) -> Iterator[bytes]:
    yield one
    yield other


def part(asked: argparse.Namespace) -> Part:
    with site(2, 20_000) as place:
        command: Callable[[int], list[str]] = lambda port: ticket_home(port, workers=asked.workers)  # noqa: E731
        with serving(None, command, place.environment, place.folder / "log") as up:
            superuser, administrator = asyncio.run(place.sessions(["superuser", f"admin_{place.prefixes[0]}"]))
            crowd = Crowd(up.port, administrator, asked.clients)
            crowd.measure()
            url, who = f"http://127.0.0.1:{up.port}", superuser["Authorization"]
            before = asyncio.run(computations(url, who))
            rounds = [crowd.measure() for _ in range(asked.rounds)]
            # Of each round's two keys, the one that one client asked for was computed once, too.
            computed = (asyncio.run(computations(url, who)) - before) / asked.rounds - 1
    return told(asked, computed, *(median(each) for each in zip(*rounds, strict=True)))


def told(asked: argparse.Namespace, computed: float, one: float, empty: float, hits: float) -> Part:
    rows = [
        ("one computation, one client", f"{one * 1000:.1f}"),
        (f"{asked.clients} clients at an empty key", f"{empty * 1000:.1f}"),
        (f"{asked.clients} clients as routed hits", f"{hits * 1000:.1f}"),
        ("computations for the empty key", f"{computed:.2f}"),
    ]
    return Part(
        name="stampede",
        title="Stampede",
        how=f"{asked.workers} workers and the load share all cores; medians of {asked.rounds} rounds.",
        tables=[Table("", ("until all are answered", "ms"), rows)],
        targets=[
            Target(5, f"computations for {asked.clients} clients at an empty key", computed, 1.0, at_least=False),
            Target(
                5,
                f"the time of all, of one computation + {MOST} × that of the same as routed hits",
                empty / (one + MOST * hits),
                1.0,
                at_least=False,
            ),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("clients", 500), ("workers", 2), ("rounds", 7)):
        parser.add_argument(f"--{name}", type=int, default=value)
    finish(part(parser.parse_args()))


if __name__ == "__main__":
    main()
