"""The pool's connections where nothing stands between: prepared statements, and an end to waiting."""

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import times
from core.db.connections.engine import dispose, serving_engine
from core.settings import Settings
from tests.support import machine
from tests.support.servers.proxy import WireProxy

QUESTION = text("SELECT count(*) FROM clinic")
PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT count(*) FROM clinic'")


async def test_a_statement_is_prepared_once(settings: Settings) -> None:
    engine = serving_engine(settings)
    try:
        for _ in range(3):
            async with engine.connect() as connection:
                await connection.execute(QUESTION)
        async with engine.connect() as connection:
            assert (await connection.execute(PREPARED)).scalar_one() == 1
    finally:
        await dispose(engine)


async def test_a_server_that_falls_silent_is_given_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or its connections would be missing in the pool until TCP noticed."""
    monkeypatch.setattr(times, "COMMAND", 0.3)
    async with WireProxy(settings.require_database_url()) as proxy:
        engine = serving_engine(settings.model_copy(update={"database_url": SecretStr(proxy.url)}))
        try:
            async with engine.connect() as connection:
                await connection.execute(QUESTION)
                proxy.is_silent = True
                began = machine.now()
                with pytest.raises((DBAPIError, TimeoutError)):
                    await connection.execute(QUESTION)
                assert machine.now() - began < machine.bound(2.0, began)
        finally:
            await dispose(engine)
