"""A clinic of any number of past tickets, made by the database itself: a million of them in a minute or so."""

import asyncpg

CLINIC = """
INSERT INTO clinic (name, prefix, timezone) VALUES ('Clinic ' || $1::text, $1::text, 'America/Santiago') RETURNING id
"""
CATALOG = (
    "INSERT INTO specialty (clinic_id, name) SELECT $1::integer, 'Specialty ' || n FROM generate_series(1, 8) AS n",
    "INSERT INTO surgery (clinic_id, name, specialty_id, base_stay_hours)"
    " SELECT $1::integer, 'Surgery ' || n, (SELECT min(id) FROM specialty WHERE clinic_id = $1) + n % 8, 24"
    " FROM generate_series(1, 50) AS n",
    "INSERT INTO doctor (clinic_id, name) SELECT $1::integer, 'Doctor ' || n FROM generate_series(1, 100) AS n",
)
# Over ten years, however many; the last 300 of each clinic are in bed, one in eight of them overdue.
TICKETS = """
INSERT INTO ticket (
    id, clinic_id, year, number, surgery_id, doctor_id, surgery_name, surgery_base_hours, surgery_at, admission_at,
    system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays, status, discharged_at, annulled_at,
    imported, created_at, created_by
)
SELECT 'TH-' || $2::text || '-2026-' || n, $1::integer, 2026, n,
    (SELECT min(id) FROM surgery WHERE clinic_id = $1) + floor(50 * power(random(), 2))::integer,
    (SELECT min(id) FROM doctor WHERE clinic_id = $1) + n * 7 % 100,
    'Surgery', 24, fpa - interval '22 hours', fpa - interval '24 hours', fpa, fpa, fpa, 1, 1, status,
    CASE status WHEN 'discharged' THEN fpa + (random() * 240 - 120) * interval '1 minute' END,
    CASE status WHEN 'annulled' THEN fpa END, true, fpa - interval '26 hours', 'bench'
FROM (
    SELECT n, CASE WHEN n > $3 - 300 THEN 'active' WHEN n % 30 = 0 THEN 'annulled' ELSE 'discharged' END AS status,
        date_trunc('hour', now()) + CASE
            WHEN n > $3 - 300 THEN (n % 56 - 7) * interval '1 hour'
            ELSE -interval '1 day' - ($3 - 300 - n)::float / $3 * interval '3650 days'
        END AS fpa
    FROM generate_series($4::integer, $5::integer) AS n
) AS planned
"""
MODIFICATIONS = """
INSERT INTO fpa_modification (clinic_id, ticket_id, previous_fpa, new_fpa, reason, modified_by)
SELECT clinic_id, id, current_fpa, current_fpa, 'Reason', 'bench'
FROM ticket CROSS JOIN LATERAL generate_series(1, number % 3) AS times
WHERE clinic_id = $1 AND number % 2 = 0 AND number BETWEEN $2 AND $3
"""
AT_ONCE = 100_000


async def make_clinic(connection: "asyncpg.Connection[asyncpg.Record]", prefix: str, tickets: int) -> int:
    """The id of a new clinic with that many tickets over ten years, a third of them modified."""
    clinic_id: int = await connection.fetchval(CLINIC, prefix)
    for statement in CATALOG:
        await connection.execute(statement, clinic_id)
    for first in range(1, tickets + 1, AT_ONCE):
        last = min(first + AT_ONCE - 1, tickets)
        await connection.execute(TICKETS, clinic_id, prefix, tickets, first, last)
        await connection.execute(MODIFICATIONS, clinic_id, first, last)
    return clinic_id
