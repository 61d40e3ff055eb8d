"""Real servers for every test: an embedded PostgreSQL and Valkey per run, a freshly cloned database per test."""

import asyncio
import gc
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from core.db.schema.migrate import upgrade
from core.operations.embedded import EmbeddedServers, start_servers
from core.settings import Settings
from core.users.passwords import hashing
from tests.factories import rows
from tests.support import signing_in
from tests.support.processes.commands import environment
from tests.support.servers.cluster import Cluster, Node
from tests.support.servers.databases import Copies, administer, copy_of, database_named

pytest_plugins = ["tests.factories.fixtures"]

TEMPLATE = "ticket_home_template"
SEEDED = "ticket_home_seeded"
MEMORY = Path("/dev/shm")  # noqa: S108  each run has a folder of its own in it
ROOM = 4 * 1024**3
"""Bytes."""
BASE_URL = "http://ticket-home.test"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """PostgreSQL and Valkey of this test run. A test that breaks a server starts its own."""
    with quick_folder(tmp_path_factory.mktemp("servers")) as folder:
        started = start_servers(folder, durable=False)
        yield started
        started.stop()


@contextmanager
def quick_folder(otherwise: Path) -> Iterator[Path]:
    """In memory, where there is room: a database is copied for each test, which takes a disk ten times as long."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        yield otherwise
        return
    with tempfile.TemporaryDirectory(prefix="ticket-home-tests-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def migrated(servers: EmbeddedServers) -> str:
    """A migrated database, of which each test's own is a copy."""
    asyncio.run(administer(servers.database_url, f"CREATE DATABASE {TEMPLATE}"))
    upgrade(database_named(servers.database_url, TEMPLATE))
    return servers.database_url


@pytest.fixture(scope="session")
def seeded_template(migrated: str) -> str:
    """Another one, for the rows of `seed`."""
    asyncio.run(administer(migrated, copy_of(TEMPLATE, SEEDED)))
    return database_named(migrated, SEEDED)


@pytest.fixture(scope="session")
def copies(migrated: str) -> Iterator[Copies]:
    """Databases as the templates are, for whoever takes one."""
    with Copies(migrated) as made:
        yield made


@pytest.fixture
async def database_url(copies: Copies, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    template = SEEDED if "seed" in request.fixturenames else TEMPLATE
    url = await copies.take(template, quiet=request.node.get_closest_marker("alone") is not None)
    yield url
    copies.drop(url)


@pytest.fixture(autouse=True)
def hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2id at the least cost: a sign-in of 50 ms is not what most tests are about. Those that are override this."""
    monkeypatch.setattr(hashing, "_hasher", rows.QUICK)
    hashing.nobodys_hash.cache_clear()
    yield
    hashing.nobodys_hash.cache_clear()


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes. A test that breaks one starts its own."""
    folder = tmp_path_factory.mktemp("cluster")
    cluster = Cluster([Node(folder / f"node{number}") for number in range(3)])
    asyncio.run(cluster.form())
    yield cluster
    cluster.kill()


def pytest_collection_finish() -> None:
    """What has been imported and collected stays: a test's garbage is found without walking through all of it."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("also_on_a_cluster"):
        metafunc.parametrize("redis_url", ["one Redis", "a cluster"], indirect=True)


@pytest.fixture
def redis_url(request: pytest.FixtureRequest, servers: EmbeddedServers) -> str:
    if getattr(request, "param", "one Redis") == "one Redis":
        return servers.redis_url
    cluster: Cluster = request.getfixturevalue("redis_cluster")
    return cluster.url


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """Of an installation of its own: its database, and its prefix in the shared Redis."""
    return Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        secret_keys=(SecretStr("a-test-secret-of-forty-characters-or-so!"),),
        cache_prefix=f"t{secrets.token_hex(6)}",
        canary_seconds=0,
        event_seconds=0.02,  # who reads a whole answer gets one
        cache_refresh_ahead=False,  # or whether the first read after a write is a miss would be a matter of chance
    )


@pytest.fixture
def operator(settings: Settings) -> dict[str, str]:
    """The environment in which the installation's operator runs `ticket-home`: where its servers are, and no more."""
    return environment(DATABASE_URL=settings.require_database_url(), REDIS_URL=settings.require_redis_url())


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A plain connection beside the application: what somebody types into psql."""
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """An application with its lifespan, and a client of it."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            yield app, client


@pytest.fixture
async def app_and_client(settings: Settings) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    async with running(settings) as both:
        yield both


@pytest.fixture
def app(app_and_client: tuple[FastAPI, httpx.AsyncClient]) -> FastAPI:
    return app_and_client[0]


@pytest.fixture
def client(app_and_client: tuple[FastAPI, httpx.AsyncClient]) -> httpx.AsyncClient:
    """Not signed in; `sign_in` gives one that is."""
    return app_and_client[1]


SignIn = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def sign_in(app: FastAPI) -> AsyncIterator[SignIn]:
    """`await sign_in("admin_sant")` → a client of the same application with that user's bearer token."""
    opened: list[httpx.AsyncClient] = []

    async def signed_in(username: str, *, on: FastAPI = app) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=on, raise_app_exceptions=False)
        made = httpx.AsyncClient(transport=transport, base_url=BASE_URL)
        opened.append(made)
        await signing_in.sign_in(made, username)
        return made

    yield signed_in
    for made in opened:
        await made.aclose()
