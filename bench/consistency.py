"""The consistency check of tests/faults/chaos against plain caches beside ours: how old answers get without saying so.

    .venv/bin/python -m bench.consistency [--seconds 30] [--seed 7] [--only fastapi-cache2]

The same writers, readers, faults and checker for each: two processes, three clinics. Rules: an answer of the process
that has just written may not be older than that write, any other not older than 2 s.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench.servers.install import ROOT, python_of_peers
from tests.faults.chaos.history.checker import Verdict
from tests.faults.chaos.run import Chaos
from tests.faults.chaos.site import Site, site

SLOWEST_FILL = 0.02
PROCESSES, CLINICS = 2, 3
PAUSE = 2.0
"""Seconds between two writes to one clinic, on average: whatever comes through the API forgets all clinics' entries."""
FAULTS = (
    *("Redis killed", "Redis restarted with old data", "Redis hung", "Redis flushed"),
    *("PostgreSQL killed", "PostgreSQL restored from a backup", "all connections to PostgreSQL cut"),
    "a process killed",
)


class Situation(NamedTuple):
    in_sql: float
    """Of the writes: how many come past the API (psql, a nightly import, another application)."""
    faults: Sequence[str]


SITUATIONS = {
    "writes through the API": Situation(0.0, ()),
    "some in SQL": Situation(0.4, ()),
    "some in SQL, faults": Situation(0.4, FAULTS),
}


class PeerSite(Site):
    """Processes of bench.consistency_peer. A read names its user, and nothing else."""

    only_doctors = True

    def __init__(self, cache: str, seconds: int, *rest: object) -> None:
        super().__init__(*rest)  # type: ignore[arg-type]  # of Site
        self._cache = cache
        self._seconds = seconds

    def serving(self, number: int) -> tuple[Sequence[str], Mapping[str, str]]:
        words = (str(python_of_peers()), "-m", "bench.consistency_peer", self._cache, str(self._seconds))
        where = (str(self.slowest_fill), self.database_url, self.redis.url, str(self.ports[number]))
        return (*words, *where), {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}

    async def bearer(self, username: str) -> str:
        return username


CACHES: dict[str, Callable[..., Site]] = {
    "Ticket Home": Site,
    **{
        f"{cache}, entries of {seconds} s": partial(PeerSite, cache, seconds)
        for cache in ("fastapi-cache2", "cashews")
        for seconds in (60, 2)
    },
}
HEAD = ("cache", "situation", "reads", "too old", "oldest, s", "oldest own, s", "said stale", "no honest answer")


async def verdict(of: Callable[..., Site], situation: Situation, seconds: float, seed: int) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="consistency-", dir="/tmp") as folder:
        async with site(Path(folder), processes=PROCESSES, clinics=CLINICS, slowest_fill=SLOWEST_FILL, of=of) as made:
            return await Chaos(made, seed, situation.faults, in_sql=situation.in_sql, pause=PAUSE).run(seconds)


def row(cache: str, situation: str, found: Verdict) -> Sequence[str]:
    dishonest = sum(violation.why == "no honest answer" for violation in found.violations)
    ages = [f"{oldest(found, kind):.2f}" for kind in ("plain", "own")]
    too_old = len(found.violations) - dishonest
    share = f"{too_old} ({100 * too_old / max(1, found.reads):.1f} %)"
    return (cache, situation, str(found.reads), share, *ages, str(found.labelled), str(dishonest))


def oldest(found: Verdict, kind: str) -> float:
    return max((seconds for (_, of), seconds in found.worst.items() if of == kind), default=0.0)


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="of each run")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default="", help="caches whose name has this in it")
    asked = parser.parse_args()
    await asyncio.to_thread(python_of_peers)
    print(line(HEAD))
    print(line(["---"] * len(HEAD)))
    for cache, of in CACHES.items():
        for name, situation in SITUATIONS.items():
            if asked.only in cache:
                found = await verdict(of, situation, asked.seconds, asked.seed)
                print(line(row(cache, name, found)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
