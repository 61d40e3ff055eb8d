"""A network that grows: clinics with an administrator, a surgery and some tickets each, made in a few statements."""

import asyncpg

TICKETS = 10
"""Of each clinic: what a request costs with more of them is bench/board.py's and bench/dashboard_sql.py's."""
LETTERS = "chr(65 + n / 17576 % 26) || chr(65 + n / 676 % 26) || chr(65 + n / 26 % 26) || chr(65 + n % 26)"
GROW = (
    f"INSERT INTO clinic (name, prefix) SELECT 'Clínica ' || n, {LETTERS} FROM generate_series($1::integer, $2) n",  # noqa: S608
    """
    INSERT INTO app_user (username, email, password_hash, role, clinic_id)
    SELECT lower(prefix), lower(prefix) || '@bench.example', 'none', 'admin', id FROM clinic c
    WHERE NOT EXISTS (SELECT FROM app_user WHERE clinic_id = c.id)
    """,
    """
    INSERT INTO specialty (clinic_id, name) SELECT id, 'Cirugía' FROM clinic c
    WHERE NOT EXISTS (SELECT FROM specialty WHERE clinic_id = c.id)
    """,
    """
    INSERT INTO surgery (clinic_id, specialty_id, name, base_stay_hours)
    SELECT clinic_id, id, 'Colecistectomía', 24 FROM specialty s
    WHERE NOT EXISTS (SELECT FROM surgery WHERE clinic_id = s.clinic_id)
    """,
    """
    INSERT INTO patient (clinic_id, document_type, document, first_name, last_name)
    SELECT id, 'passport', 'P' || n, 'Ana', 'Soto' FROM clinic c, generate_series(1, $1::integer) n
    WHERE NOT EXISTS (SELECT FROM patient WHERE clinic_id = c.id)
    """,
    """
    INSERT INTO ticket (id, clinic_id, year, number, patient_id, surgery_id, surgery_name, surgery_base_hours,
        surgery_at, admission_at, system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays,
        status, created_by)
    SELECT format('TH-%s-2026-%s', c.prefix, n), c.id, 2026, n, p.id, s.id, s.name, 24,
        now(), now() - interval '2 hours', fpa, fpa, fpa, 1, 1, 'active', 'bench'
    FROM clinic c JOIN surgery s ON s.clinic_id = c.id JOIN patient p ON p.clinic_id = c.id,
        LATERAL (SELECT substr(p.document, 2)::integer AS n) numbered,
        LATERAL (SELECT date_trunc('hour', now()) + interval '1 day' AS fpa) timed
    WHERE NOT EXISTS (SELECT FROM ticket WHERE clinic_id = c.id)
    """,
)
MANY = 500
"""Clinics whose people ask while a size is measured, or all where there are fewer: the working set stays the same."""


async def grow(connection: "asyncpg.Connection[asyncpg.Record]", clinics: int) -> None:
    """Up to so many clinics, from however many there are."""
    present = await connection.fetchval("SELECT count(*) FROM clinic")
    for statement in GROW:
        of_range = (present, clinics - 1) if "$2" in statement else (TICKETS,) if "$1" in statement else ()
        await connection.execute(statement, *of_range, timeout=None)
    await connection.execute("VACUUM ANALYZE", timeout=None)


async def some(connection: "asyncpg.Connection[asyncpg.Record]") -> list[asyncpg.Record]:
    """MANY clinics, spread over all: the administrator's name, and a ticket."""
    rows = await connection.fetch(
        "SELECT lower(prefix) AS username, format('TH-%s-2026-1', prefix) AS ticket FROM clinic ORDER BY id"
    )
    return rows[:: max(1, len(rows) // MANY)][:MANY]
