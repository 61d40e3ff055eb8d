"""Rows by COPY, with ids reserved beforehand, so that rows can point at each other before they are stored."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

RESERVE = "SELECT array_agg(nextval(pg_get_serial_sequence($1, 'id'))) FROM generate_series(1, $2::integer)"


async def reserve(connection: Connection, table: str, wanted: int) -> list[int]:
    """`wanted` ids for rows of `table`, which nobody else gets."""
    found: list[int] | None = await connection.fetchval(RESERVE, table, wanted)
    return found or []


async def copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """COPY `rows`, each with a value for each of `columns`, in their order."""
    await connection.copy_records_to_table(table, columns=columns, records=rows)


async def copy_with_ids(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> list[int]:
    """COPY rows that lack their first column, the id; their ids, in the same order."""
    ids = await reserve(connection, table, len(rows))
    await copy(connection, table, ["id", *columns], [(id_, *row) for id_, row in zip(ids, rows, strict=True)])
    return ids


async def trust_references(connection: Connection) -> None:
    """Until this transaction ends, store rows without looking up each one they point at: all of them are its own.

    The look-ups are two fifths of the work. What stamps versions is ENABLE ALWAYS, and stamps all the same. A user who
    may not set this has every reference checked.
    """
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
    except asyncpg.InsufficientPrivilegeError:
        return
