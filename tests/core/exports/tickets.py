"""Tickets that an export shows whole, or that are many."""

from datetime import UTC, datetime, timedelta

from tests.factories import rows
from tests.factories.fixtures import ClinicSeed, Seed

HOUR = timedelta(hours=1)
SUMMER = datetime(2025, 1, 15, 15, 30, tzinfo=UTC)
"""12:30 in Santiago."""
EVIL = '=HYPERLINK("http://example.org";"x")'


async def full_ticket(connection: rows.Connection, seed: Seed) -> str:
    """With a value in every column that a ticket may have."""
    patient = await rows.patient(
        connection, seed.sant.id, document_type="rut", document="12345678-5", first_name="Íñigo", middle_name="José",
        last_name="Núñez", second_last_name="Soto", age=40, sex="M",
    )  # fmt: skip
    ticket = await rows.ticket(
        connection, seed.sant.id, patient, seed.sant.surgery_id, id="TH-SANT-2025-001", doctor_id=seed.sant.doctor_id,
        surgery_name="Apendicectomía", surgery_base_hours=24, surgery_at=SUMMER + 2 * HOUR, admission_at=SUMMER,
        fpa=SUMMER + 25 * HOUR, current_fpa=SUMMER + 50 * HOUR, overnight_stays=2, bed_number="12-B", location="Piso 3",
        episode_id="E1", status="discharged", discharged_at=SUMMER + 51 * HOUR, created_at=SUMMER - HOUR,
    )  # fmt: skip
    for number in range(2):
        await rows.modification(
            connection, seed.sant.id, ticket, previous_fpa=SUMMER + (25 + number) * HOUR,
            new_fpa=SUMMER + (50 - number) * HOUR, reason=f"Fiebre {number}", justification="39°" if number else None,
            modified_at=SUMMER + number * HOUR, modified_by="nurse",
        )  # fmt: skip
    await connection.execute(
        "UPDATE ticket SET ready_at = $2, ready_by = 'nurse' WHERE id = $1", ticket, SUMMER + 50 * HOUR
    )
    for reason, ended in (
        ("Espera de traslado", {"ended_at": SUMMER + HOUR, "ended_by": "nurse"}),
        ("Caso social", {}),
    ):
        reason_id = await rows.reason(connection, seed.sant.id, "delay", reason=reason)
        await rows.delay(connection, seed.sant.id, ticket, reason_id, reason=reason, set_at=SUMMER, **ended)
    return ticket


async def many(connection: rows.Connection, clinic: ClinicSeed, number: int) -> None:
    """Tickets of one moment: only their ids tell them apart."""
    await connection.execute(
        """INSERT INTO ticket (id, clinic_id, year, number, patient_id, surgery_id, surgery_name, surgery_base_hours,
             surgery_at, admission_at, system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays,
             created_by, created_at)
           SELECT 'TH-' || $2 || '-2020-' || n, $1, 2020, n, $3, $4, 'S', 24, $5, $5, $5, $5, $5, 0, 0, 'x', $5
           FROM generate_series(1, $6::integer) n""",
        clinic.id, clinic.prefix, clinic.patient_id, clinic.surgery_id, SUMMER, number,
    )  # fmt: skip
