"""How every part of the bench ends."""

from bench.report import page
from bench.report.results import Part, save, saved


def finish(part: Part, *, kept: bool = True) -> None:
    """Print it. Where it is `kept`, it takes its last run's place in bench/last.json and in bench/README.md."""
    print("\n".join(page.lines([part])), flush=True)
    if kept:
        save(part)
        page.write(saved())
