"""Two instances that start at once on an empty database migrate it one after the other."""

import asyncio
import os
import secrets
import subprocess
import sys
from pathlib import Path

import asyncpg

from core.operations.embedded import EmbeddedServers
from tests.conftest import administer, database_named

ROOT = Path(__file__).parents[3]
MIGRATE = (sys.executable, "-c", "from api.cli.main import main; main()", "migrate")


def migrate(given: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        MIGRATE, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False
    )


async def test_two_that_migrate_at_once_both_succeed(servers: EmbeddedServers) -> None:
    name = f"empty_{secrets.token_hex(6)}"
    await administer(servers.database_url, f"CREATE DATABASE {name}")
    url = database_named(servers.database_url, name)
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    given |= {"DATABASE_URL": url, "REDIS_URL": servers.redis_url}
    both = await asyncio.gather(*(asyncio.to_thread(migrate, given) for _ in range(2)))
    assert [ended.returncode for ended in both] == [0, 0], [ended.stdout for ended in both]
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    assert await connection.fetchval("SELECT count(*) FROM ticket") == 0
    await connection.close()
    await administer(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")
