"""A clinic of any number of past tickets, made by the database itself: a million of them in a minute or so."""

from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CLINIC = """
INSERT INTO clinic (name, prefix, timezone) VALUES ('Clinic ' || $1::text, $1::text, 'America/Santiago') RETURNING id
"""
CATALOG = (
    "INSERT INTO specialty (clinic_id, name) SELECT $1::integer, 'Specialty ' || n FROM generate_series(1, 8) AS n",
    "INSERT INTO surgery (clinic_id, name, specialty_id, base_stay_hours)"
    " SELECT $1::integer, 'Surgery ' || n, (SELECT min(id) FROM specialty WHERE clinic_id = $1) + n % 8, 24"
    " FROM generate_series(1, 50) AS n",
    "INSERT INTO standardized_reason (clinic_id, category, reason)"
    " SELECT $1::integer, 'delay', 'Delay ' || n FROM generate_series(1, 12) AS n",
    "INSERT INTO doctor (clinic_id, name) SELECT $1::integer, 'Doctor ' || n FROM generate_series(1, 100) AS n",
)
RARE, COMMON = "Ñancupil", "María"
"""A surname of one in 25,000 patients and of at least one in each clinic, the last one; a first name of one in ten."""
# One for each ticket, of the same number. A surname has a number in it, lest there be as few as are written here.
PATIENTS = f"""
INSERT INTO patient (clinic_id, document_type, document, first_name, last_name, second_last_name, age, sex)
SELECT $1::integer, 'passport', 10000000 + n || (n % 10)::text,
    CASE WHEN n % 10 = 3 THEN '{COMMON}' ELSE
        (ARRAY['Ana', 'José', 'Luis', 'Íñigo', 'Carmen', 'Pedro', 'Rosa', 'Juan', 'Inés'])[1 + n * 11 % 9] END,
    CASE WHEN n % 25000 = $2::integer % 25000 THEN '{RARE}' ELSE
        (ARRAY['Rojas', 'Núñez', 'Muñoz', 'Díaz', 'Soto', 'Pérez', 'Contreras'])[1 + n % 7] || n::bigint * 79 % 997 END,
    (ARRAY['Silva', 'Vega', 'Araya', 'Lagos', 'Peña', 'Toro'])[1 + n * 17 % 6] || n::bigint * 71 % 991, 20 + n % 70, 'F'
FROM generate_series($3::integer, $4::integer) AS n
"""  # noqa: S608  put together from constants of this file
# Over ten years, however many; the last of each clinic are in bed, one in eight of them overdue.
TICKETS = """
INSERT INTO ticket (
    id, clinic_id, year, number, patient_id, surgery_id, doctor_id, surgery_name, surgery_base_hours, surgery_at,
    admission_at, system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays, status,
    discharged_at, annulled_at, ready_at, ready_by, bed_number, location, episode_id, imported, created_at, created_by
)
SELECT 'TH-' || $2::text || '-2026-' || n, $1::integer, 2026, n,
    (SELECT id FROM patient WHERE clinic_id = $1 AND document_type = 'passport'
        AND document = 10000000 + n || (n % 10)::text),
    (SELECT min(id) FROM surgery WHERE clinic_id = $1) + floor(50 * power(random(), 2))::integer,
    (SELECT min(id) FROM doctor WHERE clinic_id = $1) + n * 7 % 100,
    'Surgery ' || n % 50, 24, fpa - interval '22 hours', fpa - interval '24 hours', fpa, fpa, fpa, 1, 1, status,
    CASE status WHEN 'discharged' THEN fpa + (random() * 240 - 120) * interval '1 minute' END,
    CASE status WHEN 'annulled' THEN fpa END, ready_at, CASE WHEN ready_at IS NOT NULL THEN 'bench' END,
    (n % 400)::text, 'Piso ' || n % 9, CASE WHEN n % 3 > 0 THEN 'E-' || n END,
    true, fpa - interval '26 hours', 'bench'
FROM (
    SELECT n, CASE WHEN n > $3::integer - $6::integer THEN 'active' WHEN n % 30 = 0 THEN 'annulled'
            ELSE 'discharged' END AS status,
        date_trunc('hour', now()) + CASE
            WHEN n > $3::integer - $6::integer THEN (n % 56 - 7) * interval '1 hour'
            ELSE -interval '1 day' - ($3 - $6 - n)::float / $3 * interval '3650 days'
        END AS fpa
    FROM generate_series($4::integer, $5::integer) AS n
) AS planned
CROSS JOIN LATERAL (SELECT CASE WHEN n % 2 = 0 THEN fpa - interval '3 hours' END AS ready_at) AS ready
"""
MODIFICATIONS = """
INSERT INTO fpa_modification (clinic_id, ticket_id, previous_fpa, new_fpa, reason, modified_by)
SELECT clinic_id, id, current_fpa, current_fpa, 'Reason', 'bench'
FROM ticket CROSS JOIN LATERAL generate_series(1, number % 3) AS times
WHERE clinic_id = $1 AND number % 2 = 0 AND number BETWEEN $2 AND $3
"""
DELAYS = """
INSERT INTO delay (clinic_id, ticket_id, reason_id, reason, set_at, set_by)
SELECT clinic_id, id, (SELECT min(id) FROM standardized_reason WHERE clinic_id = $1) + number % 12, 'Delay',
    current_fpa - interval '2 hours', 'bench'
FROM ticket WHERE clinic_id = $1 AND number % 5 = 0 AND number BETWEEN $2 AND $3
"""
SEARCHED = """
SELECT indexname AS name, indexdef AS made FROM pg_indexes
WHERE schemaname = 'public' AND tablename IN ('patient', 'ticket') AND indexdef LIKE '% USING gin %'
"""
FIRST, AT_ONCE = 5_000, 100_000


async def make_clinic(
    connection: Connection, prefix: str, tickets: int, *, active: int = 300, patients: bool = False
) -> int:
    """The id of a new clinic with that many tickets over ten years, a third of them modified, a fifth delayed, half of
    them ready some time, the last `active` of them in bed; with or without `patients`."""
    clinic_id: int = await connection.fetchval(CLINIC, prefix)
    for statement in CATALOG:
        await connection.execute(statement, clinic_id)
    # Without looking up each row that one points at, which is half of the work. What stamps versions runs all the same.
    await connection.execute("SET session_replication_role = replica")
    first, at_once = 1, FIRST
    while first <= tickets:
        last = min(first + at_once - 1, tickets)
        if patients:
            await connection.execute(PATIENTS, clinic_id, tickets, first, last)
        await connection.execute(TICKETS, clinic_id, prefix, tickets, first, last, active)
        await connection.execute(MODIFICATIONS, clinic_id, first, last)
        await connection.execute(DELAYS, clinic_id, first, last)
        # The triggers' plans are those of tables that have rows.
        await connection.execute("ANALYZE ticket, patient, fpa_modification, modified_ticket, delay")
        first, at_once = last + 1, AT_ONCE
    await connection.execute("RESET session_replication_role")
    return clinic_id


async def without_search(connection: Connection) -> list[str]:
    """Drop the indexes that a search uses, which take longer than all else where many rows come; statements that make
    them anew."""
    found = await connection.fetch(SEARCHED)
    for row in found:
        await connection.execute(f"DROP INDEX {row['name']}")
    return [row["made"] for row in found]
