"""Engines over asyncpg: time-outs on every connection, and each statement counted in the request's trace."""

import asyncio
import time
from functools import partial
from itertools import count
from typing import Any, Literal, cast

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util.concurrency import await_

from core import times
from core.db.connections.backoff import Backoff
from core.db.connections.connection import APPLICATION, STATEMENTS, ServiceConnection, connect_directly
from core.settings import Settings
from core.telemetry.trace import current

DIALECT = "postgresql+asyncpg://"
COMPILED = 100
"""Statements that a process keeps compiled, and half as many more at times: one with all of a board's or a list's
filters takes some 250 KB, and there are thousands."""
PushedBy = Literal["on", "service", "off"]
"""The transaction itself, its process after the COMMIT, or nobody: then versions are polled."""

SERVER_SETTINGS = {
    "timezone": "UTC",
    "lock_timeout": "3000",
    "statement_timeout": "10000",
    "idle_in_transaction_session_timeout": "10000",
    # By its estimated cost the network's dashboard would be compiled, anew for each run: PostgreSQL keeps no such code.
    "jit": "off",
    # For the first rows of an order PostgreSQL would start workers, which read on and on while one has found them.
    "parallel_setup_cost": "10000",
}


def serving_engine(settings: Settings, *, push: PushedBy = "on") -> AsyncEngine:
    """The pool that requests and fills share. `push`: who tells other processes the versions that its commits make."""
    backoff = Backoff(
        settings.require_database_url(),
        name=APPLICATION,
        settings=SERVER_SETTINGS | {"ticket_home.push": push},
        within=times.CONNECT,
        command_timeout=times.COMMAND,
    )

    def creator() -> DBAPIConnection:
        return _adapted(engine, await_(backoff.connect()))

    engine = create_async_engine(
        DIALECT,
        creator=creator,
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=times.CONNECT,
        # A connection from before a restart is noticed by its first statement (core/db/transaction.py tries a read
        # again on a new one), so that no request pays for a ping.
        pool_pre_ping=False,
        pool_recycle=1800,
        query_cache_size=COMPILED,
        hide_parameters=True,  # an error's text may reach a log, and parameters are patients
    )
    _count_statements(engine)
    return engine


def _adapted(engine: AsyncEngine, made: ServiceConnection) -> DBAPIConnection:
    """SQLAlchemy's wrapping of `made`. It keeps statements prepared on the connection, by name. Behind a pooler that
    name would be another client's the next time, so there they have none, and none is kept."""

    async def connected() -> ServiceConnection:
        return made

    numbers = count()
    adapted: DBAPIConnection = cast("Any", engine.dialect.dbapi).connect(
        async_creator_fn=connected,
        prepared_statement_cache_size=0 if made.is_pooled else STATEMENTS,
        prepared_statement_name_func=lambda: "" if made.is_pooled else f"statement_{next(numbers)}",
    )
    return adapted


def migration_engine(url: str) -> AsyncEngine:
    """For one long job: no statement time-out, no pool."""
    settings = {"timezone": "UTC", "lock_timeout": "10000"}
    creator = partial(connect_directly, url, name=f"{APPLICATION}-migrate", settings=settings)
    return create_async_engine(DIALECT, async_creator=creator, pool_size=1, max_overflow=0)


def _count_statements(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def started(_c: Any, _cur: Any, _s: str, _p: Any, context: Any, _many: bool) -> None:
        context.started = time.perf_counter()

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def ended(_c: Any, _cur: Any, _s: str, _p: Any, context: Any, _many: bool) -> None:
        current().add_query((time.perf_counter() - context.started) * 1000)


async def dispose(engine: AsyncEngine, *, within: float = 2.0) -> None:
    """Close the pool; a hung server is not waited for longer than `within` seconds."""
    try:
        async with asyncio.timeout(within):
            await engine.dispose()
    except TimeoutError:
        await engine.dispose(close=False)
