"""What a part of the bench found: tables, and what they say of the targets. Kept in bench/last.json between runs."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAST = ROOT / "bench" / "last.json"


@dataclass(frozen=True)
class Target:
    """A line of docs/design/performance.md. `measured` is None where nothing could be measured, and `note` says why."""

    number: int
    text: str
    measured: float | None
    wanted: float | None
    """None: printed, and nothing asked of it."""
    at_least: bool = True
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        if self.wanted is None:
            return "–"
        return "met" if (self.measured >= self.wanted) == self.at_least or self.measured == self.wanted else "missed"


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    """Cells as they are printed; the first column is text, the others are numbers."""


@dataclass(frozen=True)
class Part:
    name: str
    title: str
    how: str
    """Of this run: rounds, seconds, sizes."""
    tables: Sequence[Table]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()
    bars: Sequence[tuple[str, float, bool]] = ()
    """For the plot: a name, answers for a second of CPU of those of a raw ASGI application, whether it is ours."""
    made: str = field(default_factory=lambda: made())


def made() -> str:
    """When, of which revision, on what."""
    revision = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    of = f", revision {revision}" if revision else ""
    machine = f"{platform.system()} on {platform.machine()} with {os.cpu_count()} cores"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC{of}, {machine}, Python {platform.python_version()}"


def saved(path: Path = LAST) -> dict[str, Part]:
    """By name, what each part found when it last ran."""
    if not path.exists():
        return {}
    return {name: _part(read) for name, read in json.loads(path.read_text()).items()}


def save(part: Part, path: Path = LAST) -> None:
    parts = saved(path) | {part.name: part}
    text = json.dumps({name: asdict(one) for name, one in sorted(parts.items())}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n")


def _part(read: dict[str, object]) -> Part:
    tables, targets, bars = (list(read.pop(name)) for name in ("tables", "targets", "bars"))  # type: ignore[call-overload]
    return Part(
        **read,  # type: ignore[arg-type]
        tables=[Table(**each) for each in tables],
        targets=[Target(**each) for each in targets],
        bars=[tuple(each) for each in bars],
    )
