"""Rollups against the tickets that they count; filling anew those that are wrong."""

from dataclasses import dataclass, field

from core.clock import boottime
from core.db.bulk_copy import Connection
from core.db.rollups import IS_IN_DOUBT, fill
from core.db.transaction import LOOK_WHOLE
from core.operations.doctor.finding import LOOKING, REPAIR_FIRST, Check, Finding, failed, listed, ok

CHECK = "Rollups"
CLINICS = "SELECT id, prefix FROM clinic ORDER BY random()"
"""Another order each time: of many large ones each has its turn."""


@dataclass
class Compared:
    """Rollups beside the tickets that they count."""

    wrong: dict[int, str] = field(default_factory=dict)
    """id → prefix of the clinics whose rollups are trusted and wrong."""
    in_doubt: int = 0
    """How many clinics' are not trusted, and not used."""
    left: int = 0
    """How many were not looked at, for want of time."""


async def compare(connection: Connection) -> Compared:
    """Count each clinic's rollups against its tickets, at random, for half of a check's time."""
    clinics = await connection.fetch(CLINICS)
    if not await connection.fetchval(LOOK_WHOLE.text):
        return Compared(in_doubt=len(clinics))
    until = boottime() + LOOKING / 2
    found = Compared()
    for row in clinics:
        if await connection.fetchval(IS_IN_DOUBT, row["id"]):
            found.in_doubt += 1
        elif boottime() > until:
            found.left += 1
        elif await connection.fetchval("SELECT rollup_wrong($1)", row["id"]):
            found.wrong[row["id"]] = row["prefix"]
    return found


async def look(connection: Connection) -> Finding:
    """Failed where a clinic's rollups are trusted and wrong."""
    found = await compare(connection)
    if found.wrong:
        seen = f"{listed(list(found.wrong.values()))} count other tickets than there are: dashboards there are wrong"
        return failed(CHECK, seen, REPAIR_FIRST)
    rest = f"; {found.in_doubt} clinics' are not filled yet, and their tickets are counted" if found.in_doubt else ""
    rest += f"; {found.left} clinics' were not looked at, it takes too long" if found.left else ""
    return ok(CHECK, f"all that were looked at count the tickets that there are{rest}")


async def repair(connection: Connection) -> str:
    """Fill those anew, and invalidate their figures. Says which."""
    wrong = (await compare(connection)).wrong
    for clinic_id in wrong:
        await fill(connection, clinic_id)
        # What was computed from them is not found any more.
        await connection.execute("SELECT cache_invalidate($1, 'figures')", clinic_id)
    return f"counted {listed(list(wrong.values()))} anew, and invalidated their figures"


CHECKS = (Check(CHECK, look, repair),)
