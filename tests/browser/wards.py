"""A ward in the middle of a day: patients in every state, as a board shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

NAMES = (
    ("María José", "Undurraga Echeverría"), ("Pedro", "Soto"), ("Ana", "Rojas Fuentes"), ("Ignacia", "D'Angelo"),
    ("Juan Carlos", "Muñoz Pérez"), ("Rosa", "Catrileo"), ("Luis", "Araya Núñez"), ("Camila", "Fernández-Concha"),
    ("Óscar", "Ibáñez"), ("Elena", "Vidal Soto"), ("Tomás", "Lagos"), ("Francisca", "Ñancupil"),
)  # fmt: skip
HOURS = (1.3, 2.9, 5.5, 7.2, 19, 26, 50, -1.4, -20, -80, -90, 30)
"""To the FPA of each of them; the last has yet to be admitted."""


async def ward(there: rows.Connection, clinic: ClinicSeed) -> list[str]:
    """The ids of twelve active tickets, in the order of HOURS; the first is ready, and waits for a transport."""
    now = datetime.now(UTC)
    made = []
    for number, ((first, last), hours) in enumerate(zip(NAMES, HOURS, strict=True)):
        surname, _, second = last.partition(" ")
        patient_id = await rows.patient(
            there, clinic.id, first_name=first, last_name=surname, second_last_name=second or None, age=20 + 5 * number
        )
        more: dict[str, Any] = {"admission_at": now + timedelta(hours=3)} if number == 11 else {}
        if number == 0:
            more |= {"ready_at": now - timedelta(minutes=40), "ready_by": clinic.clinical}
        made.append(
            await rows.ticket(
                there,
                clinic.id,
                patient_id,
                clinic.surgery_id,
                fpa=now + timedelta(hours=hours),
                doctor_id=clinic.doctor_id,
                surgery_name="Colecistectomía laparoscópica",
                bed_number=None if number == 11 else f"{number + 1}A",
                location=None if number == 11 else f"Piso {2 + number % 3}",
                episode_id=None if number % 4 == 3 else f"E-{1000 + number}",
                **more,
            )
        )
    await rows.delay(there, clinic.id, made[0], clinic.delay_reason_id, reason="Espera de traslado")
    return made
