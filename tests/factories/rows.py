"""Rows with sensible defaults, inserted by plain SQL: what a test needs to be there, and no more."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeAlias

import asyncpg
from argon2 import PasswordHasher

from core.catalogs.catalogs import Catalog
from core.catalogs.columns import Column, Text, Word
from core.users.passwords import hashing
from tests.factories.serial import is_serial, serial

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
PASSWORD = "ticket-home-demo"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Argon2id at the least cost."""


def password_hash() -> str:
    """Of PASSWORD, at the cost that the running test's sign-ins have."""
    return _hash_with(hashing._hasher)


@cache
def _hash_with(hasher: PasswordHasher) -> str:
    return hasher.hash(PASSWORD)


async def one(connection: Connection, query: str, *arguments: object) -> asyncpg.Record:
    """The row that the query finds; its first, where it finds several."""
    found = await connection.fetchrow(query, *arguments)
    assert found is not None, f"no row: {query}"
    return found


async def insert(connection: Connection, table: str, **values: Any) -> int:
    """The new row's id."""
    made: int = await _insert(connection, table, values)
    return made


async def _insert(connection: Connection, table: str, values: dict[str, Any]) -> Any:
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    return await connection.fetchval(f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id", *values.values())


async def clinic(connection: Connection, prefix: str, **values: Any) -> int:
    return await insert(connection, "clinic", prefix=prefix, **({"name": f"Clínica {prefix}"} | values))


async def user(connection: Connection, username: str, role: str, clinic_id: int | None, **values: Any) -> int:
    defaults: dict[str, Any] = {
        "email": f"{username}@example.org",
        "password_hash": password_hash(),
        "role": role,
        "clinic_id": clinic_id,
    }
    return await insert(connection, "app_user", username=username, **(defaults | values))


async def user_id(connection: Connection, username: str) -> int:
    found: int = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", username)
    return found


async def specialty(connection: Connection, clinic_id: int, **values: Any) -> int:
    return await insert(connection, "specialty", clinic_id=clinic_id, **({"name": f"Specialty {serial()}"} | values))


async def surgery(connection: Connection, clinic_id: int, specialty_id: int, **values: Any) -> int:
    defaults: dict[str, Any] = {"name": f"Surgery {serial()}", "base_stay_hours": 24}
    return await insert(connection, "surgery", clinic_id=clinic_id, specialty_id=specialty_id, **(defaults | values))


async def doctor(connection: Connection, clinic_id: int, **values: Any) -> int:
    return await insert(connection, "doctor", clinic_id=clinic_id, **({"name": f"Dr. {serial()}"} | values))


async def reason(connection: Connection, clinic_id: int, category: str, **values: Any) -> int:
    defaults = {"reason": f"Reason {serial()}"}
    return await insert(
        connection, "standardized_reason", clinic_id=clinic_id, category=category, **(defaults | values)
    )


def written(column: Column, specialty_id: int, text: str) -> Any:
    """What may stand in a catalog's column: `text`, where it holds one."""
    match column.holds:
        case Text():
            return specialty_id if column.refers_by else text
        case Word(meanings):
            return next(iter(meanings.values()))
        case _:
            return column.example


async def of_catalog(
    connection: Connection, catalog: Catalog, clinic_id: int, specialty_id: int, name: str | None = None
) -> int:
    """A row with what it must have."""
    name = name or f"{catalog.name} {serial()}"
    values = {column.field: written(column, specialty_id, name) for column in catalog.columns if column.required}
    return await insert(connection, catalog.table.__tablename__, clinic_id=clinic_id, **values)


async def patient(connection: Connection, clinic_id: int, **values: Any) -> int:
    defaults: dict[str, Any] = {
        "document_type": "passport",
        "document": f"P{serial()}",
        "first_name": "Ana",
        "last_name": "Rojas",
        "age": 40,
        "sex": "F",
    }
    return await insert(connection, "patient", clinic_id=clinic_id, **(defaults | values))


async def ticket(
    connection: Connection,
    clinic_id: int,
    patient_id: int,
    surgery_id: int,
    *,
    fpa: datetime | None = None,
    **values: Any,
) -> str:
    """Active, its FPA 20 hours ahead unless given; `status` with what the constraints want beside it."""
    assert not is_serial(values.get("number", 1)), "this number is the factories' own"
    number = serial()
    fpa = fpa or datetime.now(UTC) + timedelta(hours=20)
    defaults: dict[str, Any] = {
        "id": f"TH-TEST-2026-{number}",
        "year": 2026,
        "number": number,
        "surgery_name": "Surgery",
        "surgery_base_hours": 24,
        "surgery_at": fpa - timedelta(hours=22),
        "admission_at": fpa - timedelta(hours=24),
        "system_fpa": fpa,
        "initial_fpa": fpa,
        "current_fpa": fpa,
        "overnight_stays": 1,
        "initial_overnight_stays": 1,
        "created_by": "test",
    }
    given: dict[str, Any] = {"clinic_id": clinic_id, "patient_id": patient_id, "surgery_id": surgery_id}
    made: str = await _insert(connection, "ticket", defaults | given | values)
    return made


async def delay(connection: Connection, clinic_id: int, ticket_id: str, reason_id: int, **values: Any) -> int:
    """Open, unless `ended_at` and `ended_by` are given."""
    given: dict[str, Any] = {"clinic_id": clinic_id, "ticket_id": ticket_id, "reason_id": reason_id}
    return await insert(connection, "delay", **({"reason": "Delay", "set_by": "test"} | given | values))


async def modification(connection: Connection, clinic_id: int, ticket_id: str, **values: Any) -> int:
    now = datetime.now(UTC)
    defaults: dict[str, Any] = {
        "previous_fpa": now,
        "new_fpa": now + timedelta(hours=2),
        "reason": "Reason",
        "modified_by": "test",
    }
    return await insert(connection, "fpa_modification", clinic_id=clinic_id, ticket_id=ticket_id, **(defaults | values))
