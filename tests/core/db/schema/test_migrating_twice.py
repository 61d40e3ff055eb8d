"""Two instances that start at once on an empty database migrate it one after the other."""

import asyncio
import secrets

import asyncpg

from core.operations.embedded import EmbeddedServers
from tests.support.processes.commands import environment, run_beside
from tests.support.servers.databases import administer, database_named


async def test_two_that_migrate_at_once_both_succeed(servers: EmbeddedServers) -> None:
    name = f"empty_{secrets.token_hex(6)}"
    await administer(servers.database_url, f"CREATE DATABASE {name}")
    url = database_named(servers.database_url, name)
    given = environment(DATABASE_URL=url, REDIS_URL=servers.redis_url)
    both = await asyncio.gather(*(run_beside(given, "migrate") for _ in range(2)))
    assert [ended.returncode for ended in both] == [0, 0], [ended.stdout + ended.stderr for ended in both]
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    assert await connection.fetchval("SELECT count(*) FROM ticket") == 0
    await connection.close()
    await administer(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")
