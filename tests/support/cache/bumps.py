"""What a block of statements bumped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.factories import rows

Versions = dict[tuple[int, str], int]


async def versions_of(connection: rows.Connection) -> Versions:
    found = await connection.fetch("SELECT clinic_id, topic, version FROM cache_version")
    return {(row["clinic_id"], row["topic"]): row["version"] for row in found}


class Bumps:
    """Which (clinic, topic) a block bumped."""

    def __init__(self) -> None:
        self.seen: set[tuple[int, str]] = set()


@asynccontextmanager
async def bumps(connection: rows.Connection) -> AsyncIterator[Bumps]:
    before = await versions_of(connection)
    noted = Bumps()
    yield noted
    after = await versions_of(connection)
    assert all(after[key] >= version for key, version in before.items()), "a version went down"
    noted.seen = {key for key, version in after.items() if version != before.get(key)}
