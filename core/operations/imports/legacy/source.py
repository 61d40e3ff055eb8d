"""The old application's database: read in one snapshot, by a session that cannot write."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from core.db.bulk_copy import Connection
from core.settings.database_address import NoAddress, normalised

BATCH = 5000
"""Rows that are in memory at once, or a few times as many."""

COLUMNS = {
    table: tuple(columns.split())
    for table, columns in {
        "clinic": "id name is_active",
        "user": "id username email password role is_active created_at clinic_id",
        "superuser": "id email",
        "specialty": "id name is_active clinic_id",
        "surgery": "id name base_stay_hours specialty_id is_active applies_ticket_home is_ambulatory"
        " ambulatory_cutoff_hour clinic_id",
        "doctor": "id name specialty rut is_active created_at clinic_id",
        "standardized_reason": "id reason category is_active clinic_id",
        "patient": "id rut primer_nombre segundo_nombre apellido_paterno apellido_materno age sex episode_id clinic_id",
        "ticket": "id patient_id surgery_id doctor_id clinic_id pavilion_end_time medical_discharge_date"
        " system_calculated_fpa initial_fpa current_fpa overnight_stays original_overnight_stays original_fpa_date"
        " bed_number location status created_at created_by annulled_at annulled_reason annulled_by initial_reason"
        " initial_justification surgery_name_snapshot surgery_base_hours_snapshot",
        "fpa_modification": "id ticket_id clinic_id previous_fpa new_fpa reason justification modified_at modified_by",
        "login_audit": "id user_id username clinic_id timestamp ip_address",
        "action_audit": "id user_id username clinic_id timestamp action target_id target_type",
        "urgency_threshold": "id clinic_id green_threshold_hours yellow_threshold_hours red_threshold_hours"
        " created_at updated_at updated_by",
    }.items()
}
NEEDED = ("clinic", "ticket", "patient", "surgery")
"""Without these it is another application's database."""


class NotTheSource(Exception):
    """The address leads to something else than the old application's database. Its message is for people."""


@dataclass(frozen=True, slots=True)
class Source:
    """The old application's database, which lacks tables and columns where it is an early one."""

    connection: Connection
    present: dict[str, set[str]]
    """Columns of each table that is there."""

    def table(self, name: str) -> str:
        """SQL of the table with every column that is known of it; null where this source has none."""
        there = self.present.get(name, set())
        columns = [f'"{column}"' if column in there else f'NULL AS "{column}"' for column in COLUMNS[name]]
        rows = f'FROM "{name}"' if there else "WHERE false"
        return f"(SELECT {', '.join(columns)} {rows})"

    async def count(self, name: str) -> int:
        """Rows of one table; 0 where the source has no such table."""
        counted: int = await self.connection.fetchval(f"SELECT count(*) FROM {self.table(name)} AS t")  # noqa: S608
        return counted

    async def all(self, name: str) -> list[asyncpg.Record]:
        """A table of hundreds of rows, by id."""
        return await self.connection.fetch(f"SELECT * FROM {self.table(name)} AS t ORDER BY id")  # noqa: S608

    async def batches(self, query: str) -> AsyncIterator[list[asyncpg.Record]]:
        """Rows of a query, a batch at a time."""
        cursor = await self.connection.cursor(query)
        while batch := await cursor.fetch(BATCH):
            yield batch

    def remarks(self) -> Iterable[str]:
        """What is missing, and what nobody here knows of and is therefore not imported."""
        for table, columns in COLUMNS.items():
            there = self.present.get(table)
            if there is None:
                yield f"The source has no table {table}."
                continue
            if missing := [column for column in columns if column not in there]:
                yield f"The source's table {table} has no {', '.join(missing)}."
            if unknown := sorted(there - set(columns)):
                yield f"Not imported of the table {table}: {', '.join(unknown)}."
        if unknown := sorted(self.present.keys() - COLUMNS.keys() - {"alembic_version"}):
            yield f"Tables that are not imported: {', '.join(unknown)}."


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Source]:
    """The source, in one snapshot, until the block ends. Raises NotTheSource for another application's database."""
    try:
        address = normalised(url, only_primary=False)
    except NoAddress as error:
        raise NotTheSource(f"--from: {error}.") from None
    connection = await asyncpg.connect(address)
    try:
        await connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            # While the target works, this session waits.
            await connection.execute(
                "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0;"
                # In one form on every run: rows are compared by their texts.
                " SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'"
            )
            yield Source(connection, await _columns(connection))
    finally:
        await connection.close()


async def _columns(connection: Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in await connection.fetch(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " AND a.attnum > 0 AND NOT a.attisdropped"
    ):
        found.setdefault(row["relname"], set()).add(row["attname"])
    if "app_user" in found and "cache_version" in found:
        raise NotTheSource("This is a database of Ticket Home itself, not of the application that it replaces.")
    if missing := [table for table in NEEDED if "id" not in found.get(table, ())]:
        raise NotTheSource(f"This is no database of the old application: it lacks {', '.join(missing)}.")
    return found
