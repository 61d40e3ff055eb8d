"""Whether Python and PostgreSQL know the same changes of the clocks: the FPA is calculated by one, days are counted by
the other, and governments move the changes at short notice."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from zoneinfo import TZPATH

from core.clinics.timezones import zones
from core.clock import DEFAULT_ZONE, in_zone, zone
from core.db.bulk_copy import Connection
from core.operations.doctor.finding import Check, Finding, failed, listed, ok

CHECK = "Time zones"
AHEAD = timedelta(days=400)
HOUR = timedelta(hours=1)
ALWAYS = (DEFAULT_ZONE, "America/Punta_Arenas")
UPDATE = "bring PostgreSQL and the tzdata of this machine (or of this image) to the same, newest release"

NOW = "SELECT date_trunc('hour', clock_timestamp())"
NAMES = "SELECT DISTINCT timezone AS name FROM clinic"
UNKNOWN = """
SELECT name FROM unnest($1::text[]) AS name WHERE name NOT IN (SELECT name FROM pg_timezone_names)
"""
# Their offsets at each full hour, and of those only where it is another than the hour before.
CHANGES = """
SELECT name, at, seconds FROM (
    SELECT name, at, seconds, lag(seconds) OVER (PARTITION BY name ORDER BY at) AS before
    FROM unnest($1::text[]) AS name CROSS JOIN generate_series($2::timestamptz, $3, '1 hour') AS at
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM (at AT TIME ZONE name) - (at AT TIME ZONE 'UTC'))::integer AS seconds
    ) AS local
) AS hours WHERE seconds IS DISTINCT FROM before ORDER BY name, at
"""
Changes = list[tuple[datetime, int]]
"""Since when, and then seconds ahead of UTC."""


def changes_of(name: str, start: datetime, end: datetime) -> Changes:
    """A zone's changes of the clock between two instants, as Python has them. Raises ZoneInfoNotFoundError."""
    local = zone(name)
    found: Changes = []
    at = start.astimezone(UTC)
    while at <= end:
        offset = in_zone(at, local).utcoffset() or timedelta()
        if not found or found[-1][1] != offset.total_seconds():
            found.append((at, int(offset.total_seconds())))
        at += HOUR
    return found


def release() -> str:
    """Which release of the time zone data this process reads: the system's where it has any."""
    for folder in map(Path, TZPATH):
        if (folder / DEFAULT_ZONE).exists():
            data = folder / "tzdata.zi"
            first = data.read_text(encoding="utf-8").partition("\n")[0] if data.exists() else ""
            return f"{first.removeprefix('# version ') or 'of unknown release'} of {folder}"
    return f"{version('tzdata')} of the package tzdata"


async def look(connection: Connection) -> Finding:
    """Failed where Python and PostgreSQL do not know a clinic's time zone alike, or have other changes of its clock
    within AHEAD."""
    names = sorted({*ALWAYS, *(row["name"] for row in await connection.fetch(NAMES))})
    strange = [row["name"] for row in await connection.fetch(UNKNOWN, names)]
    strange += [name for name in names if name not in zones() and name not in strange]
    if strange:
        return failed(CHECK, f"{listed(strange)} are not known to both Python and PostgreSQL", UPDATE)
    start: datetime = await connection.fetchval(NOW)
    theirs: dict[str, Changes] = {name: [] for name in names}
    for row in await connection.fetch(CHANGES, names, start, start + AHEAD):
        theirs[row["name"]].append((row["at"], row["seconds"]))
    different = [_difference(name, changes_of(name, start, start + AHEAD), theirs[name]) for name in names]
    wrong = [one for one in different if one]
    if wrong:
        return failed(CHECK, f"{listed(wrong)} (Python's data: {release()})", UPDATE)
    following = [f"{name} on {_first(theirs[name])}" for name in names if len(theirs[name]) > 1]
    seen = f"; the next change: {listed(following)}" if following else ""
    return ok(CHECK, f"{len(names)} alike in Python ({release()}) and PostgreSQL for {AHEAD.days} days{seen}")


def _first(changes: Changes) -> str:
    return f"{changes[1][0]:%Y-%m-%d}"


def _difference(name: str, ours: Changes, theirs: Changes) -> str | None:
    """`America/Santiago differs from 2026-09-06 on`."""
    if ours == theirs:
        return None
    since = min(at for at, _ in set(ours) ^ set(theirs))
    return f"{name} differs from {since:%Y-%m-%d %H:%M} UTC on"


CHECKS: Sequence[Check] = (Check(CHECK, look),)
