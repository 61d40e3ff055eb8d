"""Rows of the database, batch by batch, each read in a moment of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg

from core.db.connections.connection import connect_directly
from core.exports.job import Batches, Job

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

FIRST = 200
"""Rows of the first batch, which somebody waits for."""
MORE = 2000
"""Rows of each of the others."""


async def connect(job: Job) -> Connection:
    """The export's own connection. Raises LeadsToPooler, and what asyncpg raises."""
    return await connect_directly(
        job.dsn,
        name=job.application,
        settings=job.settings,
        within=job.connect_timeout,
        command_timeout=job.command_timeout,
    )


async def batches(
    connection: Connection, asked: Batches, *, ahead: bool = False
) -> AsyncIterator[list[asyncpg.Record]]:
    """The rows of `asked`, a batch at a time, up to the first one that is not full: rows that are added behind it
    meanwhile are not part of this export.

    `ahead`: have the database work on the next batch while the caller uses this one. Not to be used where a client's
    pace decides how long that takes: the next batch's statement, and with it its snapshot, stays open until it is read.
    """
    statement = await connection.prepare(asked.sql)

    async def read(after: tuple[object, ...], limit: int) -> list[asyncpg.Record]:
        return await statement.fetch(*asked.arguments_from(after, limit))

    limit, found = FIRST, await read(asked.start, FIRST)
    while len(found) == limit:
        limit, after = MORE, tuple(found[-1][at] for at in asked.keys)
        if ahead:
            reading = asyncio.ensure_future(read(after, limit))
            # So that the statement is sent before the caller keeps this process busy with the batch that it gets.
            await asyncio.sleep(0)
            yield found
            found = await reading
        else:
            yield found
            found = await read(after, limit)
    yield found
