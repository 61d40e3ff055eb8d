"""This machine's clock against the servers'. Nothing depends on it: rules run on the database's clock, and durations on
clocks that nobody sets. But logs of several machines are hard to read together."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from core.clock import boottime, wall_now
from core.db.bulk_copy import Connection
from core.operations.doctor.finding import Finding, ok, warning

CHECK = "Clocks"
TOLERATED = 1.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """How a server's clock stands to this machine's."""

    ahead: float
    """Seconds by which the server's clock is ahead of this machine's."""
    within: float
    """Half of the time that asking took: how exact that is."""


async def read(ask: Callable[[], Awaitable[float]]) -> ClockReading:
    """The server's clock beside this machine's. `ask` gives the server's, epoch seconds."""
    before, started = wall_now().timestamp(), boottime()
    theirs = await ask()
    half = (boottime() - started) / 2
    return ClockReading(theirs - (before + half), half)


async def database(connection: Connection) -> ClockReading:
    """PostgreSQL's clock beside this machine's. Raises asyncpg's errors."""

    async def ask() -> float:
        found: float = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
        return found

    await ask()  # the first one pays for parsing
    return await read(ask)


def compared(readings: Mapping[str, ClockReading]) -> Finding:
    """A warning where a clock differs by more than TOLERATED seconds, the time that asking took not counted. `readings`
    by what the sentence calls the clock: `PostgreSQL's is`."""
    seen = ", ".join(
        f"{name} {'ahead' if one.ahead >= 0 else 'behind'} by {abs(one.ahead):.3f} s" for name, one in readings.items()
    )
    if any(abs(one.ahead) - one.within > TOLERATED for one in readings.values()):
        return warning(CHECK, f"against this machine's, {seen}", "set them by NTP; only logs depend on it, no answer")
    return ok(CHECK, f"against this machine's, {seen}")
