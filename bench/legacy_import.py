"""How long the old application's data takes to come over (200,000 tickets: at most 60 s), and in how much memory.

    .venv/bin/python -m bench.legacy_import [--tickets 200000] [--plain-passwords 50]

On an embedded PostgreSQL of its own, which holds both databases. Beside each ticket a patient, an audit row and a half,
and every second one has a modification; one in twenty rows has something to repair.
"""

import argparse
import asyncio
import resource
import tempfile
from datetime import timedelta
from pathlib import Path

import asyncpg

from core.operations.demo.names import NETWORK
from core.operations.embedded import start_servers
from core.operations.imports.legacy import import_legacy
from tests.core.operations.imports.legacy.old_database import SCHEMA
from tests.support.servers.databases import administer, database_named

FILL = (
    """INSERT INTO "user" (username, email, password, role, is_active, created_at, clinic_id)
       SELECT 'user' || n, 'user' || n || '@example.org', 'password ' || n, 'Clinical', true, '2024-01-01', 1 + n % 9
       FROM generate_series(1, {plain}) n""",
    "INSERT INTO specialty (name, is_active, clinic_id) SELECT 'Specialty ' || n, true, 1 + n % 9"
    " FROM generate_series(0, 89) n",
    """INSERT INTO surgery (name, base_stay_hours, specialty_id, is_active, applies_ticket_home, is_ambulatory,
           clinic_id)
       SELECT 'Surgery ' || n, 12 + n % 48, 1 + n % 90, true, true, false, 1 + n % 9 FROM generate_series(0, 359) n""",
    """INSERT INTO doctor (name, specialty, is_active, clinic_id)
       SELECT 'Doctor ' || n, 'Specialty ' || n % 90, true, 1 + n % 9 FROM generate_series(0, 269) n""",
    """INSERT INTO standardized_reason (reason, category, is_active, clinic_id)
       SELECT 'Reason ' || n, 'modification', true, 1 + n % 9 FROM generate_series(0, 89) n""",
    """INSERT INTO patient (rut, primer_nombre, segundo_nombre, apellido_paterno, apellido_materno, age, sex,
           episode_id, clinic_id)
       SELECT to_char(5000000 + n, 'FM99G999G999') || '-' || n % 10, 'María José ' || n % 500, 'Antonia',
           'Rojas ' || n % 900, 'Núñez ' || n % 700, n % 95, CASE n % 2 WHEN 0 THEN 'Femenino' ELSE 'M' END,
           CASE WHEN n % 3 = 0 THEN 'E-' || n END, 1 + n % 9
       FROM generate_series(1, {tickets}) n""",
    """INSERT INTO ticket (id, patient_id, surgery_id, doctor_id, clinic_id, pavilion_end_time, medical_discharge_date,
           system_calculated_fpa, initial_fpa, current_fpa, overnight_stays, original_overnight_stays, bed_number,
           location, status, created_at, created_by, surgery_name_snapshot, surgery_base_hours_snapshot, initial_reason,
           annulled_at, annulled_by, annulled_reason)
       SELECT 'TH-' || (ARRAY['IQUI', 'ELQU', 'VALP', 'PROV', 'SANT', 'VITA', 'RANC', 'MAYO', 'MAGA'])[1 + n % 9] || '-'
           || 2024 + n % 2 || '-' || lpad((1 + n / 9)::text, greatest(3, length((1 + n / 9)::text)), '0'),
           n, 1 + n % 9 + 9 * (n % 40), 1 + n % 9 + 9 * (n % 30), 1 + n % 9, t, t + interval '1 day',
           date_trunc('hour', t) + interval '1 day', date_trunc('hour', t) + interval '1 day',
           date_trunc('hour', t) + interval '26 hours', 1, 1, n % 40 || '-A', 'Piso ' || n % 6,
           CASE n % 20 WHEN 0 THEN 'Anulado' ELSE 'Vigente' END, t - interval '5 hours', 'user' || 1 + n % {plain},
           'Surgery ' || n % 360, CASE n % 20 WHEN 3 THEN NULL ELSE 24 END, CASE n % 20 WHEN 4 THEN 'A reason' END,
           CASE n % 20 WHEN 0 THEN t END, CASE n % 20 WHEN 0 THEN 'user1' END, CASE n % 20 WHEN 0 THEN 'Reason 1' END
       FROM generate_series(1, {tickets}) n,
           LATERAL (SELECT timestamp '2024-01-01' + n * interval '5 minutes') AS o (t)""",
    """INSERT INTO fpa_modification (ticket_id, clinic_id, previous_fpa, new_fpa, reason, modified_at, modified_by)
       SELECT id, clinic_id, initial_fpa, current_fpa, 'Reason ' || patient_id % 90, created_at + interval '1 hour',
           created_by FROM ticket WHERE patient_id % 2 = 0""",
    """INSERT INTO action_audit (user_id, username, clinic_id, "timestamp", action, target_id, target_type)
       SELECT 1, created_by, clinic_id, created_at, 'create_ticket', id, 'Ticket' FROM ticket
       UNION ALL
       SELECT 1, modified_by, clinic_id, modified_at, 'modify_fpa', ticket_id, 'Ticket' FROM fpa_modification""",
    """INSERT INTO login_audit (user_id, username, clinic_id, "timestamp", ip_address)
       SELECT 1, 'user1', 2, timestamp '2024-01-01' + n * interval '10 minutes', '10.0.0.' || n % 250
       FROM generate_series(1, {tickets} / 4) n""",
)


async def measure(server: str, tickets: int, plain: int) -> None:
    await administer(server, "CREATE DATABASE old", "CREATE DATABASE new")
    source, target = database_named(server, "old"), database_named(server, "new")
    connection = await asyncpg.connect(source)
    await connection.execute(SCHEMA)
    for place in NETWORK:
        await connection.execute("INSERT INTO clinic (name, is_active) VALUES ($1, true)", f"Clínica RedSalud {place}")
    for statement in FILL:
        await connection.execute(statement.format(tickets=tickets, plain=plain))
    await connection.execute("ANALYZE")
    await connection.close()
    for again in ("", " (again)"):
        report = await import_legacy(source, target, assume_discharged_after=timedelta(hours=72), progress=False)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{tickets:,} tickets{again}: {report.seconds:.1f} s, {memory:,.0f} MiB at most")
        print(report, "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=200_000)
    parser.add_argument("--plain-passwords", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = start_servers(Path(folder) / "data", valkey=False)
        try:
            asyncio.run(measure(servers.database_url, arguments.tickets, arguments.plain_passwords))
        finally:
            servers.stop()


if __name__ == "__main__":
    main()
