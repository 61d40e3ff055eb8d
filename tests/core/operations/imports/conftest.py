"""`old`: an empty database of the old application; `hospital`: a clinic in it; `run_import`: into the test's own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from core.operations.imports.legacy import Report, import_legacy
from tests.core.operations.imports.legacy.old_database import PBKDF2, add, make_old_database
from tests.factories import rows
from tests.support.servers.databases import Copies
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]

OLD = "old_application_template"


@dataclass(frozen=True)
class Old:
    """The old application's database, and how to add to it."""

    url: str
    connection: rows.Connection

    async def add(self, table: str, **values: Any) -> Any:
        return await add(self.connection, table, **values)


@pytest.fixture(scope="session")
def old_template(migrated: str) -> str:
    """The name of a database of the old application, of which each test's own is a copy."""
    asyncio.run(make_old_database(migrated, OLD))
    return OLD


@pytest.fixture
async def old(copies: Copies, old_template: str) -> AsyncIterator[Old]:
    url = await copies.take(old_template)
    connection = await asyncpg.connect(url)
    yield Old(url, connection)
    await connection.close()
    copies.drop(url)


Import = Callable[..., Awaitable[Report]]


@pytest.fixture
def run_import(old: Old, database_url: str) -> Import:
    """`await run_import(assume=timedelta(hours=72))`"""

    async def run(*, assume: timedelta | None = None) -> Report:
        return await import_legacy(old.url, database_url, assume_discharged_after=assume, progress=False)

    return run


@dataclass(frozen=True)
class Hospital:
    """One clinic there with what a ticket needs, by ids there."""

    old: Old
    clinic: int
    specialty: int
    surgery: int
    doctor: int
    patient: int

    async def ticket(self, ticket_id: str, **values: Any) -> str:
        """Active, operated on 15 January 2025 at 14:30, its FPA 16 January 13:00, as a nurse typed and saw it."""
        defaults: dict[str, Any] = {
            "patient_id": self.patient,
            "surgery_id": self.surgery,
            "doctor_id": self.doctor,
            "clinic_id": self.clinic,
            "pavilion_end_time": at("2025-01-15 14:30"),
            "system_calculated_fpa": at("2025-01-16 13:00"),
            "initial_fpa": at("2025-01-16 13:00"),
            "current_fpa": at("2025-01-16 13:00"),
            "overnight_stays": 1,
            "original_overnight_stays": 1,
            "status": "Vigente",
            "created_at": at("2025-01-15 12:00"),
            "created_by": "ana",
            "surgery_name_snapshot": "Apendicectomía",
            "surgery_base_hours_snapshot": 24,
        }
        await self.old.add("ticket", id=ticket_id, **(defaults | values))
        return ticket_id

    async def user(self, username: str | None, **values: Any) -> int:
        """The id of one who is clinical here, unless said otherwise."""
        defaults = {
            "email": f"{username}@example.org",
            "password": PBKDF2,
            "role": "clinical",
            "is_active": True,
            "created_at": at("2024-05-01 03:00"),
            "clinic_id": self.clinic,
        }
        made: int = await self.old.add("user", username=username, **(defaults | values))
        return made


def at(text: str) -> datetime:
    """A naive time, as the old application wrote them all."""
    return datetime.fromisoformat(text)


@pytest.fixture
async def hospital(old: Old) -> Hospital:
    clinic = await old.add("clinic", name="Clínica RedSalud Santiago", is_active=True)
    specialty = await old.add("specialty", name="Cirugía General", is_active=True, clinic_id=clinic)
    surgery = await old.add(
        "surgery", name="Apendicectomía", base_stay_hours=24, specialty_id=specialty, is_active=True,
        applies_ticket_home=True, is_ambulatory=False, clinic_id=clinic,
    )  # fmt: skip
    doctor = await old.add("doctor", name="Dra. Soto", rut="12.345.678-5", is_active=True, clinic_id=clinic)
    await old.add(
        "user", username="ana", email="ana@example.org", password=rows.PASSWORD, role="clinical", is_active=True,
        created_at=at("2024-01-01 00:00"), clinic_id=clinic,
    )  # fmt: skip
    patient = await old.add(
        "patient", rut="12.345.678-5", primer_nombre="Ana", apellido_paterno="Rojas", age=40, sex="F", clinic_id=clinic
    )
    return Hospital(old, clinic, specialty, surgery, doctor, patient)
