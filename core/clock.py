"""The only caller of the machine's clocks, and clinic-local time.

`now` is the database's clock wherever an answer depends on it (see core/cache/versions.py); the machine's wall clock
serves logs only. Durations and leases are measured on clocks that nobody can set.
"""

import time
from datetime import UTC, datetime

DEFAULT_ZONE = "America/Santiago"


def wall_now() -> datetime:
    """The machine's wall clock, UTC. For log lines and file names, never for a rule or an answer."""
    return datetime.now(UTC)


def boottime() -> float:
    """Seconds on CLOCK_BOOTTIME: goes on while the machine sleeps or the process is stopped, and nobody can set it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
