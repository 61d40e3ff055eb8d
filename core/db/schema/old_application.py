"""Whether an address leads to the database of the application that this one replaces, whose tables are called alike."""

import asyncpg

from core.db.connections.connection import APPLICATION, connect

WITHIN = 3.0
"""Seconds to connect. A server that is away is not this check's concern: whoever needs it says so."""
# In one message, and answered by the command's tag: so it goes through a transaction pooler, too.
LOOK = """
SELECT 1 WHERE to_regclass('app_user') IS NULL AND EXISTS (
    SELECT FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
        AND (attrelid, attname) IN (
            (to_regclass('ticket'), 'pavilion_end_time'), (to_regclass('ticket'), 'system_calculated_fpa'),
            (to_regclass('patient'), 'primer_nombre'), (to_regclass('patient'), 'apellido_paterno')
        )
)
"""
FOUND = "SELECT 1"
"""The command's tag."""
WHAT_TO_DO = (
    "give Ticket Home a database of its own, and import this one with ticket-home import legacy --from and its address"
)


class OldApplication(Exception):
    """The database is the old application's. Its message is for people, and says what to do."""

    def __init__(self) -> None:
        super().__init__(f"This is the old application's database: {WHAT_TO_DO}.")


async def is_old_application(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    return bool(await connection.execute(LOOK) == FOUND)


async def refuse_old_application(url: str) -> None:
    """Raises OldApplication where the address leads to its database; nothing where no server can be reached."""
    try:
        connection = await connect(
            url, name=f"{APPLICATION}-look", settings={"timezone": "UTC"}, within=WITHIN, only_primary=False
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        return
    try:
        if await is_old_application(connection):
            raise OldApplication
    finally:
        connection.terminate()
