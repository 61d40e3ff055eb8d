"""Servers of these tests' own: each test breaks one, and says in its name how."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from core.db.schema.migrate import upgrade
from core.settings import Settings
from tests.conftest import TEMPLATE
from tests.factories.fixtures import Seed, seed_clinic
from tests.factories.rows import user
from tests.support.servers.breakable import Breakable
from tests.support.servers.databases import administer, database_named


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Breakable]:
    server = Breakable(tmp_path / "redis", "valkey")
    yield server
    server.end()


@pytest.fixture
def on_own_redis(settings: Settings, redis_server: Breakable) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr(redis_server.url)})


@pytest.fixture(scope="session")
def postgres_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("postgres")


@pytest.fixture(scope="session")
def postgres_server(postgres_folder: Path) -> Iterator[Breakable]:
    """One for all tests here, migrated once; each leaves it running, and has a database of its own in it."""
    server = Breakable(postgres_folder, "postgres")
    asyncio.run(administer(server.url, f"CREATE DATABASE {TEMPLATE}"))
    upgrade(database_named(server.url, TEMPLATE))
    yield server
    server.end()


@pytest.fixture
async def own_database(postgres_server: Breakable) -> AsyncIterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    await administer(postgres_server.url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield database_named(postgres_server.url, name)
    await administer(postgres_server.url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def on_own_postgres(own_database: str, redis_url: str) -> Settings:
    return Settings(
        database_url=SecretStr(own_database),
        redis_url=SecretStr(redis_url),
        secret_keys=(SecretStr("a-test-secret-of-forty-characters-or-so!"),),
        cache_prefix=f"t{secrets.token_hex(6)}",
        canary_seconds=0,
        event_seconds=0.02,
        cache_refresh_ahead=False,
    )


@pytest.fixture
async def own_seed(own_database: str) -> Seed:
    """As `seed`, in the database that the test breaks; the connection is closed again."""
    connection = await asyncpg.connect(own_database)
    try:
        sant = await seed_clinic(connection, "SANT", "America/Santiago")
        maga = await seed_clinic(connection, "MAGA", "America/Punta_Arenas")
        await user(connection, "superuser", "superuser", None)
    finally:
        await connection.close()
    return Seed(sant, maga)
