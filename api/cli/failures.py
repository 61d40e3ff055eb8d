"""How every command of `ticket-home` ends that cannot do what it should."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import asyncpg
import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from api.server import serve as serving
from core.db.connections.connection import LeadsToPooler
from core.db.failures import NO_LOCK, sqlstate
from core.db.schema.compatibility import OtherSchema
from core.db.schema.old_application import OldApplication
from core.errors import AppError, FieldError, Invalid
from core.operations.demo import DemoRefused
from core.operations.embedded import CannotStart

LOCKED = (
    "A table's lock was not to be had, and what needs it was not done: end whoever holds it (SELECT pid, xact_start,"
    " query FROM pg_stat_activity ORDER BY xact_start shows who is oldest), and run this again."
)


@contextmanager
def explained() -> Iterator[None]:
    """Around a command's work: what an operator can put right ends it with a sentence on standard error and status 1.
    Anything else is a bug, and has its traceback."""
    try:
        yield
    except ValidationError as invalid:
        # Not the values: they may be secrets.
        wrong = [f"{'.'.join(map(str, one['loc'])) or 'settings'}: {one['msg']}" for one in invalid.errors()]
        fail("The settings are refused. " + "; ".join(wrong))
    except serving.PortInUse as used:
        fail(f"{used}: stop that one, or choose another (--port 9000, or PORT=9000 make run).")
    except Invalid as refused:
        fail("; ".join(f"{one.path}: {one.message}" for one in refused.errors))
    except (CannotStart, DemoRefused, LeadsToPooler, OldApplication, OtherSchema, AppError) as refused:
        fail(str(refused))
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.TargetServerAttributeNotMatched, OSError) as error:
        if sqlstate(error) == NO_LOCK:
            fail(LOCKED)
        fail(f"A server or a file is not available: {str(error).splitlines()[0]}")


@contextmanager
def by_the_rules_of_http() -> Iterator[None]:
    """Around a body that is made of a command's options: what it refuses is Invalid, and told by its field."""
    try:
        yield
    except ValidationError as error:
        wrong = [FieldError(str((*one["loc"], "")[0]), "invalid", one["msg"]) for one in error.errors()]
        raise Invalid(*wrong) from error


def fail(message: str) -> NoReturn:
    """End the command: `message` on standard error, exit status 1."""
    typer.echo(f"ticket-home: {message}", err=True)
    raise typer.Exit(1)
