"""Rollups are filled where they are in doubt, and changes are merged into them (docs/design/rollups.md).

Nothing waits for it: until a clinic's are filled its dashboards are counted from its tickets, and changes that are not
merged are added up by readers. Everything here runs on a connection outside of any transaction: each statement has its
own, which locks no row that a write of tickets needs for longer than a batch.
"""

from core.db.bulk_copy import Connection
from core.db.transaction import IS_WHOLE

AT_ONCE = 1_000
"""Modified tickets that are recounted in one transaction: a tenth of a second, while who writes them waits."""
TRIES = 3

MERGED_FROM = 200
"""Changes of a clinic that are not worth merging yet: what adding them up costs a reader is not seen."""
IN_DOUBT = """(
    r.clinic_id IS NULL OR r.timezone <> c.timezone OR r.timeline IS DISTINCT FROM (SELECT id FROM cache_timeline)
    OR EXISTS (SELECT FROM rollup_change g WHERE g.clinic_id = c.id AND g.timezone <> c.timezone)
)"""
CLOCK_CHANGED = """EXISTS (
    SELECT FROM unnest(r.marks, r.locals) AS zone (mark, local) WHERE mark AT TIME ZONE c.timezone <> local
)"""
UNMERGED = f"""(
    SELECT count(*) FROM (SELECT FROM rollup_change g WHERE g.clinic_id = c.id LIMIT {MERGED_FROM + 1}) AS g
)"""  # noqa: S608  ours
OF_CLINICS = "FROM clinic c LEFT JOIN rolled_clinic r ON r.clinic_id = c.id"
TO_DO = f"SELECT c.id {OF_CLINICS} WHERE {IS_WHOLE} AND ({IN_DOUBT} OR {UNMERGED} > {MERGED_FROM}) ORDER BY c.id"
"""Clinics that `keep_up` has something to do for, at little cost; none while the tables are not those that the versions
stand for. That a zone's clock changes otherwise than it did is looked for only by TO_DO_THOROUGHLY."""
TO_DO_THOROUGHLY = (
    f"SELECT c.id {OF_CLINICS} WHERE {IS_WHOLE} AND ({IN_DOUBT} OR {CLOCK_CHANGED} OR {UNMERGED} > 0) ORDER BY c.id"
)
IS_IN_DOUBT = f"SELECT {IN_DOUBT} OR {CLOCK_CHANGED} {OF_CLINICS} WHERE c.id = $1"


async def keep_up(connection: Connection, clinics: list[int]) -> list[int]:
    """Fill the rollups of those of `clinics` where they are in doubt, merge the others'; which were filled."""
    filled = []
    for clinic_id in clinics:
        if not await connection.fetchval(IS_IN_DOUBT, clinic_id):
            await connection.fetchval("SELECT rollup_merge($1)", clinic_id)
        elif await fill(connection, clinic_id):
            filled.append(clinic_id)
    return filled


async def fill(connection: Connection, clinic_id: int) -> bool:
    """Count all of a clinic's tickets anew. False where that is left to somebody else, who is at it, or to later: the
    tables are not those that the versions stand for, or modifications are written faster than they are counted."""
    for _ in range(TRIES):
        ids = [row[0] for row in await connection.fetch("SELECT rollup_differing($1)", clinic_id)]
        for start in range(0, len(ids), AT_ONCE):
            await connection.execute("SELECT rollup_recount($1)", ids[start : start + AT_ONCE])
        if await connection.fetchval("SELECT rollup_fill($1)", clinic_id):
            return True
    return False
