"""Which errors of a database mean that it is away (try later), which that a race was lost (run it again), and which
that a row is there already. All others are bugs."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import Conflict

AWAY_CLASSES = ("08", "53", "57")  # connection, resources, operator intervention (shutdown, cancelled by time-out)
NO_LOCK = "55P03"
DEADLOCK = "40P01"
AWAY_CODES = frozenset({"25006", "3D000", NO_LOCK})
"""A demoted primary is read-only; a database is dropped to be restored; a lock was not to be had in time."""
FORGOTTEN = "26000"
"""A statement that was prepared is not there any more."""
AGAIN_CODES = frozenset({"40001", DEADLOCK, FORGOTTEN, "XX000"})
"""Serialization failure and deadlock; and a table that was dropped, and made anew, while a plan was made for it ("could
not open relation", "cache lookup failed")."""
SCHEMA_CODES = frozenset({"42P01", "42883", "3F000", "42P10", "42501", "42703", "42704", "42803"})
"""Of a table, function, schema, constraint, right, column or type that is not there."""
VOID_PLAN = "0A000"
"""Of a plan that DDL made void ("cached plan must not change result type"), and of what PostgreSQL cannot do at all."""


def sqlstate(error: BaseException) -> str | None:
    """The five-letter SQLSTATE, from asyncpg's error or from SQLAlchemy's wrapping of it."""
    orig = getattr(error, "orig", None)
    for candidate in (error, orig, error.__cause__, getattr(orig, "__cause__", None)):
        state = getattr(candidate, "sqlstate", None)
        if isinstance(state, str):
            return state
    return None


def is_away(error: BaseException) -> bool:
    """Whether the database cannot be reached, or does not take this now: the same may succeed later."""
    if isinstance(error, ConnectionError | TimeoutError | PoolTimeout | EOFError):
        return True
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        # asyncpg: "connection is closed", "cannot perform operation: connection was closed in the middle".
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is not None:
        return state.startswith(AWAY_CLASSES) or state in AWAY_CODES
    return isinstance(error, InterfaceError | OperationalError)


def is_again(error: BaseException) -> bool:
    """Whether the same, run again at once, may succeed: it lost a race, or its prepared statement is gone."""
    state = sqlstate(error)
    return state in AGAIN_CODES or (state == VOID_PLAN and "cached" in str(error))


def is_of_schema(error: BaseException) -> bool:
    """Whether something of the schema is not there: a bug, or a restore in place that is under way."""
    return sqlstate(error) in SCHEMA_CODES


def is_forgotten(error: BaseException) -> bool:
    """Whether the connection's prepared statements are gone: the connection is of no use any more."""
    return sqlstate(error) == FORGOTTEN


def is_duplicate(error: BaseException) -> bool:
    """A unique constraint refused a row."""
    return sqlstate(error) == "23505"


@contextmanager
def refused_as_duplicate(detail: str) -> Iterator[None]:
    """Around one statement. Raises Conflict (`duplicate`) where a unique index refuses it: a row like it is there."""
    try:
        yield
    except IntegrityError as error:
        if is_duplicate(error):
            raise Conflict(detail, code="duplicate") from error
        raise
