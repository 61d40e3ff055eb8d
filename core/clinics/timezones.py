"""Which time zones a clinic may have."""

from functools import lru_cache
from zoneinfo import available_timezones

from sqlalchemy import text

from core.db.transaction import Session
from core.errors import Invalid

NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})
"""Files among the zones that are none of IANA's: what they mean depends on the machine."""

# Figures are counted by local days in SQL, and the FPA is calculated in Python.
KNOWN = text("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = :name)")


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """The IANA names of all zones that a clinic may lie in."""
    return frozenset(available_timezones()) - NO_ZONES


async def require_zone(session: Session, name: str) -> None:
    """Raises Invalid at `timezone` for what is no IANA zone, or not known to both this process and PostgreSQL."""
    if name not in zones() or not await session.scalar(KNOWN, {"name": name}):
        raise Invalid.field("timezone", "unknown_timezone", "No IANA time zone has this name.")
