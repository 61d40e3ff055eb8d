"""Ten times the clinics, again and again: what a request costs (docs/design/performance.md, target 11).

    .venv/bin/python -m bench.scale [--most 10000] [--seconds 2]

10, 100, 1,000 and 10,000 clinics in one database, one worker on its own core. At each size people of 500 clinics, or of
all, ask for their dashboard and a catalog; then some clinics are written to at a fixed rate while hits are asked for.
That a network of ten times the clinics has ten times the readers is not played: it is the cost of one request that
must stay flat.
"""

import argparse
from collections.abc import Sequence

from bench.report.ending import finish
from bench.report.results import Part, Table, Target
from bench.scale.growth import MANY
from bench.scale.measure import WRITES, Size, measure
from bench.servers.cores import Cores
from bench.servers.site import site

SIZES = (10, 100, 1000, 10_000)
FLAT = 1.2
"""Of the smallest size's: what is still taken for flat."""
COLUMNS = (
    *("clinics", "version rows", "hit, CPU µs", "while written to", "hits/s", "miss, CPU ms", "rows read/s, idle"),
    *("rows read a write", "worker idle, ms/s", "PostgreSQL idle, ms/s", "Redis bytes an entry", "worker MB"),
)


def line(size: Size) -> list[str]:
    return [
        *(f"{size.clinics:,}", f"{size.versions:,}", f"{size.hit_us:,.0f}", f"{size.written_us:,.0f}"),
        *(f"{size.rate:,.0f}", f"{size.miss_ms:.2f}", f"{size.read_idle:,.0f}", f"{size.read_per_write:,.0f}"),
        *(f"{size.idle_ms:.1f}", f"{size.database_idle_ms:.1f}"),
        *(f"{size.redis_bytes:,.0f}", f"{size.worker_mb:.0f}"),
    ]


def told(sizes: Sequence[Size], cores: Cores, seconds: float) -> Part:
    first, last = sizes[0], sizes[-1]
    grew = f"with {last.clinics:,} clinics, of that with {first.clinics:,}"
    ratios = {
        "a hit's CPU": last.hit_us / first.hit_us,
        "the same while clinics are written to": last.written_us / first.written_us,
        "a miss's CPU": last.miss_ms / first.miss_ms,
        "version rows read in a second while nobody writes, for each clinic,": (last.read_idle / last.clinics)
        / (first.read_idle / first.clinics),
        "Redis memory for an entry": last.redis_bytes / first.redis_bytes,
    }
    return Part(
        name="scale",
        title="Growth",
        how=f"People of {MANY} clinics, or of all, ask; {WRITES} writes a second; {seconds:g} s of hits; {cores}.",
        tables=[Table("", COLUMNS, [line(size) for size in sizes])],
        targets=[Target(11, f"{name} {grew}", ratio, FLAT, at_least=False) for name, ratio in ratios.items()],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    asked = parser.parse_args()
    cores = Cores()
    with site(0, 0) as place:
        sizes = []
        for clinics in (size for size in SIZES if size <= asked.most):
            print(f"{clinics:,} clinics …", flush=True)
            sizes.append(measure(place, cores, clinics, asked.seconds))
    finish(told(sizes, cores, asked.seconds))


if __name__ == "__main__":
    main()
