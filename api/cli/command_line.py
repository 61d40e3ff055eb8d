"""What every command of `ticket-home` shares: the data folder, and how a failure is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import asyncpg
import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from api.server import serve as serving
from core.db.connection import LeadsToPooler
from core.db.old_application import OldApplication
from core.errors import AppError, Invalid
from core.operations.demo import DemoRefused
from core.operations.embedded import CannotStart

DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the embedded servers keep their data (TICKET_HOME_DATA_DIR; .data).", show_default=False),
]


@contextmanager
def explained() -> Iterator[None]:
    """What an operator can put right is told in a sentence; anything else is a bug, and has its traceback."""
    try:
        yield
    except ValidationError as refused:
        # Not the values: they may be secrets.
        wrong = [f"{'.'.join(map(str, one['loc'])) or 'settings'}: {one['msg']}" for one in refused.errors()]
        fail("The settings are refused. " + "; ".join(wrong))
    except serving.PortInUse as used:
        fail(f"{used}: stop that one, or choose another (--port 9000, or PORT=9000 make run).")
    except Invalid as invalid:
        fail("; ".join(f"{one.path}: {one.message}" for one in invalid.errors))
    except (CannotStart, DemoRefused, LeadsToPooler, OldApplication, AppError) as told:
        fail(str(told))
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.TargetServerAttributeNotMatched, OSError) as error:
        fail(f"A server or a file is not available: {str(error).splitlines()[0]}")


def fail(message: str) -> NoReturn:
    typer.echo(f"ticket-home: {message}", err=True)
    raise typer.Exit(1)
