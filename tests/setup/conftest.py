"""An empty database, which a test migrates itself."""

import secrets
from collections.abc import AsyncIterator

import pytest

from core.operations.embedded import EmbeddedServers
from tests.support.servers.databases import administer, database_named


@pytest.fixture
async def empty_database_url(servers: EmbeddedServers) -> AsyncIterator[str]:
    name = f"empty_{secrets.token_hex(6)}"
    await administer(servers.database_url, f"CREATE DATABASE {name}")
    yield database_named(servers.database_url, name)
    await administer(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")
