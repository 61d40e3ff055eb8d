"""`make bench`: the targets of docs/design/performance.md, one part after the other, each in a process of its own.

    make bench      or      make bench ARGS=--quick

All of it takes some twenty minutes on a calm machine, and writes bench/README.md and docs/speed.svg. `--quick` takes
less than two: what is answered from the cache, beside others, in three short rounds; it is printed and not kept.
`--only` names parts.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from bench.report import page
from bench.report.results import saved

PARTS: dict[str, Sequence[str]] = {
    "hits": (),
    "dashboard_sql": ("--tickets", "100000", "--rounds", "15"),
    "cold": (),
    "board": (),
    "exports": (),
    "stampede": (),
    "writes": (),
    "commits": ("--seconds", "3"),
    "start": (),
    "memory": (),
    "events": (),
    "workday": ("--beside", "CACHE_REFRESH_AHEAD=false"),
    "scale": ("--most", "1000"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    asked = parser.parse_args()
    if asked.quick:
        sys.exit(_run("hits", ["--quick"]))
    failed = [name for name in asked.only if _run(name, PARTS[name])]
    ran = [part for name, part in saved().items() if name in asked.only and name not in failed]
    targets = page.targets([target for part in ran for target in part.targets])
    print("\n".join(["", "All of this run:", "", *page.table(targets)]))
    if failed:
        sys.exit(f"make bench: {', '.join(failed)} did not come to an end, see above.")


def _run(name: str, options: Sequence[str]) -> int:
    print(f"\n== {name} {' '.join(options)}", flush=True)
    return subprocess.run([sys.executable, "-m", f"bench.{name}", *options], check=False).returncode


if __name__ == "__main__":
    main()
