"""What not even SQL can write: another clinic's rows in a ticket, and values out of their bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.factories import rows
from tests.factories.fixtures import Seed

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("column", ["patient_id", "surgery_id", "doctor_id"])
async def test_a_ticket_points_at_nothing_of_another_clinic(
    seed: Seed, connection: rows.Connection, column: str
) -> None:
    own: dict[str, Any] = {
        "patient_id": seed.sant.patient_id,
        "surgery_id": seed.sant.surgery_id,
        "doctor_id": seed.sant.doctor_id,
    }
    ticket = await rows.ticket(connection, seed.sant.id, **own)
    theirs = getattr(seed.maga, column)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await rows.ticket(connection, seed.sant.id, **own | {column: theirs})
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute(f"UPDATE ticket SET {column} = $1 WHERE id = $2", theirs, ticket)


async def test_a_modification_points_at_no_reason_and_no_ticket_of_another_clinic(
    seed: Seed, connection: rows.Connection
) -> None:
    ticket = await seed.sant.ticket(connection)
    for clinic_id, reason_id in (
        (seed.sant.id, seed.maga.modification_reason_id),
        (seed.maga.id, seed.maga.modification_reason_id),
    ):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await rows.modification(connection, clinic_id, ticket, reason_id=reason_id)


async def test_a_catalog_row_points_at_no_specialty_of_another_clinic(seed: Seed, connection: rows.Connection) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await rows.surgery(connection, seed.sant.id, seed.maga.specialty_id)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await rows.doctor(connection, seed.sant.id, specialty_id=seed.maga.specialty_id)


@pytest.mark.parametrize(
    "values",
    [
        {"status": "gone"},
        {"status": "discharged"},
        {"discharged_at": NOW},
        {"status": "annulled"},
        {"annulled_at": NOW},
        {"status": "discharged", "discharged_at": NOW - 500 * HOUR},
        {"patient_id": None},
        {"surgery_id": None},
        {"admission_at": NOW + 19 * HOUR, "surgery_at": NOW + 18 * HOUR},
        {"current_fpa": NOW - 500 * HOUR},
        {"system_fpa": NOW - 500 * HOUR},
        {"overnight_stays": -1},
        {"initial_overnight_stays": -1},
    ],
    ids=lambda values: " ".join(values),
)
async def test_a_ticket_is_sound(seed: Seed, connection: rows.Connection, values: dict[str, Any]) -> None:
    sound: dict[str, Any] = {"patient_id": seed.sant.patient_id, "surgery_id": seed.sant.surgery_id}
    await rows.ticket(connection, seed.sant.id, **sound)
    with pytest.raises(asyncpg.CheckViolationError):
        await rows.ticket(connection, seed.sant.id, **sound | values)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("surgery", {"base_stay_hours": 0}),
        ("surgery", {"base_stay_hours": 2161}),
        ("surgery", {"ambulatory_cutoff_hour": 24}),
        ("surgery", {"ambulatory_cutoff_hour": -1}),
        ("patient", {"age": 151}),
        ("patient", {"age": -1}),
        ("patient", {"sex": "Z"}),
        ("patient", {"document_type": "card"}),
        ("patient", {"document": " "}),
        ("standardized_reason", {"category": "other"}),
        ("app_user", {"role": "chief"}),
        ("app_user", {"clinic_id": None}),
    ],
    ids=str,
)
async def test_other_rows_are_sound(
    seed: Seed, connection: rows.Connection, table: str, values: dict[str, Any]
) -> None:
    (column, value), *_ = values.items()
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(f"UPDATE {table} SET {column} = $1 WHERE clinic_id = $2", value, seed.sant.id)


@pytest.mark.parametrize("hours", [(0, 4, 8), (4, 4, 8), (2, 8, 8), (5, 4, 8), (2, 9, 8), (2, 4, 73)])
async def test_thresholds_rise_within_their_bounds(
    seed: Seed, connection: rows.Connection, hours: tuple[int, int, int]
) -> None:
    insert = "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES ($1, $2, $3, $4)"
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(insert, seed.sant.id, *hours)
    await connection.execute(insert, seed.sant.id, 1, 2, 72)
