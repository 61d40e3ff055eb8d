"""What is there twice: patients of one document, of which the one used last is found by it, and names of catalogs.

An import, an older release or a migration left them; who they are is not for a program to decide.
"""

from core.db.bulk_copy import Connection
from core.operations.doctor.finding import Check, Finding, listed, ok, warning

PATIENTS = "Patients"
MOST = 10
"""That are named by their ids; of more there is the number."""

TWINS = """
SELECT c.prefix, p.id, q.id AS found
FROM patient p
JOIN patient q ON q.clinic_id = p.clinic_id AND q.document_type = p.document_type AND q.verified
    AND q.document = document_identity(p.document_type, coalesce(p.document_typed, p.document))
JOIN clinic c ON c.id = p.clinic_id
WHERE NOT p.verified ORDER BY c.prefix, p.id
"""


async def look_at_patients(connection: Connection) -> Finding:
    """A warning where an unverified patient has the document of a verified one of the same clinic. Names MOST pairs of
    row ids, and no patient."""
    twins = await connection.fetch(TWINS)
    if not twins:
        return ok(PATIENTS, "no two rows have one document")
    seen = listed([f"{row['prefix']} {row['id']} beside {row['found']}" for row in twins[:MOST]])
    more = f" and {len(twins) - MOST} more" if len(twins) > MOST else ""
    return warning(
        PATIENTS,
        f"rows of a document by which another one is found: {seen}{more}",
        "look at their tickets, and correct the documents that are wrong",
    )


CATALOGS = "Catalogs"
ALIKE = """
SELECT c.prefix, a.kind, a.ids FROM (
    SELECT clinic_id, 'specialty' AS kind, array_agg(id ORDER BY id) AS ids
    FROM specialty WHERE is_active GROUP BY clinic_id, folded_text(name)
    UNION ALL SELECT clinic_id, 'surgery', array_agg(id ORDER BY id)
    FROM surgery WHERE is_active GROUP BY clinic_id, folded_text(name)
    UNION ALL SELECT clinic_id, 'reason', array_agg(id ORDER BY id)
    FROM standardized_reason WHERE is_active GROUP BY clinic_id, category, folded_text(reason)
) a JOIN clinic c ON c.id = a.clinic_id WHERE cardinality(a.ids) > 1 ORDER BY c.prefix, a.kind, a.ids
"""


async def look_at_catalogs(connection: Connection) -> Finding:
    """Names in use that only accents, apostrophes or spaces tell apart: older than the rule that there is one."""
    alike = await connection.fetch(ALIKE)
    if not alike:
        return ok(CATALOGS, "no two rows in use have one name")
    seen = listed([f"{row['prefix']} {row['kind']} {', '.join(map(str, row['ids']))}" for row in alike[:MOST]])
    more = f" and {len(alike) - MOST} more" if len(alike) > MOST else ""
    return warning(CATALOGS, f"rows of one name: {seen}{more}", "deactivate all of them but one, or rename them")


CHECKS = (Check(PATIENTS, look_at_patients), Check(CATALOGS, look_at_catalogs))
