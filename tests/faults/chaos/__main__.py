"""The consistency check, for as long as you like: `make chaos`.

    python -m tests.faults.chaos [--seconds 300] [--processes 4] [--clinics 6] [--seed N] [--history FILE] [--pooler]

A run is known by its seed: which faults, when, in which order. Its history is kept, and
`python -m tests.faults.chaos.history.checker FILE` judges it again.
"""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.faults.chaos.faults import KINDS
from tests.faults.chaos.history.checker import table_of
from tests.faults.chaos.history.history import save
from tests.faults.chaos.run import READERS, Chaos
from tests.faults.chaos.site import PooledSite, Site, site
from tests.faults.chaos.variants import PATCHES, STATEMENTS

SLOWEST_FILL = 0.02


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--clinics", type=int, default=6)
    parser.add_argument("--readers", type=int, default=READERS, help="connections to each process")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--history", type=Path, default=Path("chaos-history.jsonl"))
    parser.add_argument("--variant", choices=["none", *PATCHES, *STATEMENTS], default="none", help="a broken cache")
    parser.add_argument("--until-violated", action="store_true", help="end with the first violation")
    parser.add_argument("--pooler", action="store_true", help="with PgBouncer before PostgreSQL")
    parser.add_argument("--faults", nargs="*", choices=list(KINDS), default=list(KINDS))
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else secrets.randbelow(2**32)
    sys.stdout.write(f"seed {seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="chaos-", dir="/tmp") as folder:
        async with site(
            Path(folder),
            processes=asked.processes,
            clinics=asked.clinics,
            variant=asked.variant,
            broken_by=STATEMENTS.get(asked.variant, ""),
            slowest_fill=SLOWEST_FILL,
            of=PooledSite if asked.pooler else Site,
        ) as made:
            chaos = Chaos(made, seed, asked.faults, "" if asked.until_violated else None, readers=asked.readers)
            try:
                verdict = await chaos.run(asked.seconds)
            finally:
                save(chaos.history.events, asked.history, first=chaos.first, seed=seed)
                for log in made.logs:
                    shutil.copy(log, asked.history.with_name(f"{asked.history.stem}-{log.name}"))
    sys.stdout.write(f"{table_of(verdict)}\nhistory in {asked.history}\n")
    return bool(verdict.violations)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
