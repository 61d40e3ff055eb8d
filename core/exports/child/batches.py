"""Rows of the database, batch by batch, each read in a moment of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg

from core.db.connection import connect_directly
from core.exports.job import Batches, Job

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

FIRST = 200
"""Rows of the first batch, which somebody waits for; of the others."""
MORE = 2000


async def connect(job: Job) -> Connection:
    """Raises LeadsToPooler, and what asyncpg raises."""
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
    """Until a batch is not full: rows that are added meanwhile behind it are none of this export's.

    `ahead`: the database works on the next batch while this one is used. Not where a client's pace decides how long
    that takes: until it is read, its statement and with it its snapshot stay open.
    """
    statement = await connection.prepare(asked.sql)

    async def read(after: tuple[object, ...], limit: int) -> list[asyncpg.Record]:
        return await statement.fetch(*asked.arguments_from(after, limit))

    limit, found = FIRST, await read(asked.start, FIRST)
    while len(found) == limit:
        limit, after = MORE, tuple(found[-1][at] for at in asked.keys)
        if ahead:
            reading = asyncio.ensure_future(read(after, limit))
            # So that it is sent before the batch at hand keeps this process busy.
            await asyncio.sleep(0)
            yield found
            found = await reading
        else:
            yield found
            found = await read(after, limit)
    yield found
