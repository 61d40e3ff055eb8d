"""Patients that a document leads away from: rows of one document, of which only the one used last is found by it.

An import, an older release or a migration left them; who they are is not for a program to decide.
"""

from core.db.copying import Connection
from core.doctor.finding import Check, Finding, listed, ok, warning

PATIENTS = "Patients"
MOST = 10
"""Told by their ids; of more there is the number."""

TWINS = """
SELECT c.prefix, p.id, q.id AS found
FROM patient p
JOIN patient q ON q.clinic_id = p.clinic_id AND q.document_type = p.document_type AND q.verified
    AND q.document = document_identity(p.document_type, coalesce(p.document_typed, p.document))
JOIN clinic c ON c.id = p.clinic_id
WHERE NOT p.verified ORDER BY c.prefix, p.id
"""


async def look_at_patients(connection: Connection) -> Finding:
    twins = await connection.fetch(TWINS)
    if not twins:
        return ok(PATIENTS, "no two rows have one document")
    told = listed([f"{row['prefix']} {row['id']} beside {row['found']}" for row in twins[:MOST]])
    more = f" and {len(twins) - MOST} more" if len(twins) > MOST else ""
    return warning(
        PATIENTS,
        f"rows of a document by which another one is found: {told}{more}",
        "look at their tickets, and correct the documents that are wrong",
    )


CHECKS = (Check(PATIENTS, look_at_patients),)
