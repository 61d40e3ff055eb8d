"""`seed`: two clinics with a catalog, users of every role, and no tickets. `database`: as the service opens it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from core.cache.versions.map import VersionMap
from core.catalogs.catalogs import CATALOGS
from core.db.connections.engine import dispose, serving_engine
from core.db.transaction import Database
from core.settings import Settings
from core.users.passwords import hashing
from tests.factories import rows


@dataclass(frozen=True)
class ClinicSeed:
    id: int
    prefix: str
    specialty_id: int
    surgery_id: int
    doctor_id: int
    modification_reason_id: int
    annulment_reason_id: int
    delay_reason_id: int
    patient_id: int
    catalogs: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The id of a row of each catalog, by the catalog's name."""

    @property
    def admin(self) -> str:
        return f"admin_{self.prefix.lower()}"

    @property
    def clinical(self) -> str:
        return f"clinical_{self.prefix.lower()}"

    @property
    def viewer(self) -> str:
        return f"viewer_{self.prefix.lower()}"

    async def ticket(self, connection: rows.Connection, **values: Any) -> str:
        """The id of a new one of the seeded patient; as `rows.ticket` has it, but for `values`."""
        return await rows.ticket(connection, self.id, self.patient_id, self.surgery_id, **values)


@dataclass(frozen=True)
class Seed:
    sant: ClinicSeed
    """America/Santiago"""
    maga: ClinicSeed
    """America/Punta_Arenas"""
    superuser: str = "superuser"


async def seed_clinic(connection: rows.Connection, prefix: str, timezone: str) -> ClinicSeed:
    clinic_id = await rows.clinic(connection, prefix, timezone=timezone)
    for role in ("admin", "clinical", "viewer"):
        await rows.user(connection, f"{role}_{prefix.lower()}", role, clinic_id)
    specialty_id = await rows.specialty(connection, clinic_id)
    ids = {
        "specialty": specialty_id,
        "surgery": await rows.surgery(connection, clinic_id, specialty_id),
        "doctor": await rows.doctor(connection, clinic_id, specialty_id=specialty_id),
        "reason": await rows.reason(connection, clinic_id, "modification"),
    }
    for catalog in CATALOGS:
        if catalog.name not in ids:
            ids[catalog.name] = await rows.of_catalog(connection, catalog, clinic_id, specialty_id)
    return ClinicSeed(
        id=clinic_id,
        prefix=prefix,
        specialty_id=specialty_id,
        surgery_id=ids["surgery"],
        doctor_id=ids["doctor"],
        modification_reason_id=ids["reason"],
        annulment_reason_id=await rows.reason(connection, clinic_id, "annulment"),
        delay_reason_id=await rows.reason(connection, clinic_id, "delay"),
        patient_id=await rows.patient(connection, clinic_id),
        catalogs=ids,
    )


async def _seeded(database_url: str) -> Seed:
    connection = await asyncpg.connect(database_url)
    try:
        sant = await seed_clinic(connection, "SANT", "America/Santiago")
        maga = await seed_clinic(connection, "MAGA", "America/Punta_Arenas")
        await rows.user(connection, "superuser", "superuser", None)
    finally:
        await connection.close()
    return Seed(sant, maga)


@pytest.fixture(scope="session")
def seeded(seeded_template: str) -> Seed:
    """The rows of the database that those of tests with a `seed` are copies of: inserting them takes longer."""
    with pytest.MonkeyPatch.context() as here:
        here.setattr(hashing, "_hasher", rows.QUICK)
        return asyncio.run(_seeded(seeded_template))


@pytest.fixture
async def seed(connection: rows.Connection, seeded: Seed) -> Seed:
    if hashing._hasher != rows.QUICK:  # sign-ins cost what this test says
        await connection.execute("UPDATE app_user SET password_hash = $1", rows.password_hash())
    return seeded


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    engine = serving_engine(settings)
    yield Database(engine, VersionMap())
    await dispose(engine)
