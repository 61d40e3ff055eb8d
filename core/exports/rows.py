"""Rows of the database, batch by batch, each read in a moment of its own."""

from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg

from core.exports.jobs import Batches, Job

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

FIRST = 200
"""Rows of the first batch, which somebody waits for; of the others."""
MORE = 2000


async def connect(job: Job) -> Connection:
    return await asyncpg.connect(
        job.dsn,
        timeout=job.connect_timeout,
        command_timeout=job.command_timeout,
        server_settings=job.server_settings,
    )


async def batches(connection: Connection, asked: Batches) -> AsyncIterator[list[asyncpg.Record]]:
    """Until a batch is not full: rows that are added meanwhile behind it are none of this export's."""
    after, limit = asked.start, FIRST
    statement = await connection.prepare(asked.sql)
    while True:
        found = await statement.fetch(*asked.arguments_from(after, limit))
        if found:
            after = tuple(found[-1][place] for place in asked.keys)
        yield found
        if len(found) < limit:
            return
        limit = MORE
