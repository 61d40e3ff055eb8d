"""The database as the service opens it, and the statements that go to it."""

from collections.abc import AsyncIterator

import pytest

from core.cache.versions import VersionMap
from core.db.engine import dispose, serving_engine
from core.db.transaction import Database
from core.settings import Settings


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    engine = serving_engine(settings)
    yield Database(engine, VersionMap())
    await dispose(engine)
