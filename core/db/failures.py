"""Which database errors mean "away" (try later), which mean "again" (lost a race), and which are bugs."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

AWAY_CLASSES = ("08", "53", "57")  # connection, resources, operator intervention (shutdown, cancelled by time-out)
AWAY_CODES = frozenset({"25006", "3D000", "55P03"})
"""A demoted primary is read-only; a database is dropped to be restored; a lock was not to be had in time."""
AGAIN_CODES = frozenset({"40001", "40P01"})  # serialization failure, deadlock


class CannotConnect(ConnectionError):
    """No connection was made. Told apart here: the file of a unix socket may be missing, and so may a loader's own."""


def sqlstate(error: BaseException) -> str | None:
    """The five-letter SQLSTATE, from asyncpg's error or from SQLAlchemy's wrapping of it."""
    for candidate in (error, getattr(error, "orig", None), getattr(error, "__cause__", None)):
        state = getattr(candidate, "sqlstate", None)
        if isinstance(state, str):
            return state
    return None


def is_away(error: BaseException) -> bool:
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
    return sqlstate(error) in AGAIN_CODES


def is_duplicate(error: BaseException) -> bool:
    """A unique constraint refused a row."""
    return sqlstate(error) == "23505"
