"""`ticket-home serve`: from nothing to a service in one command, and its end in good order."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Annotated, NoReturn

import typer

from api.cli.commands.demo import filled
from api.cli.failures import explained
from api.cli.installation import DataDir, installation
from api.server import serve as serving
from core.settings import Settings
from core.telemetry.log import logger

commands = typer.Typer()


@commands.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes.", min=1, envvar="WEB_CONCURRENCY")] = 1,
    data_dir: DataDir = None,
    demo: Annotated[bool, typer.Option("--demo", help="Fill in the demo data first, and print the logins.")] = False,
    end_with_parent: Annotated[bool, typer.Option("--end-with-parent", hidden=True)] = False,
) -> None:
    """Serve. Locally it migrates, and starts PostgreSQL and Valkey where no address is configured."""
    signal.signal(signal.SIGTERM, _interrupt)
    if end_with_parent:
        serving.end_with_parent()
    if workers == 1:
        # While the servers start, for which this process would only wait. More workers import it themselves.
        threading.Thread(target=serving.import_application, name="import of the application").start()
    code = 0
    with (
        explained(),
        _interruptible(),
        serving.listen(host, port) as listening,
        installation(data_dir, bound=True, migrated=True) as settings,
    ):
        if demo:
            filled(settings)
        address = f"http://{_for_url(host)}:{listening.getsockname()[1]}"
        code = serving.run(listening, workers, settings, partial(_announce, address, settings, demo=demo))
    raise typer.Exit(code)


def _announce(address: str, settings: Settings, *, demo: bool) -> None:
    """That it serves: a line for machines, or a few for whoever looks at a terminal."""
    if settings.log_format == "json" and not sys.stdout.isatty():
        logger.info("serving", address=address, documentation=f"{address}/docs")
    else:
        typer.echo(_greeting(address, settings, demo=demo))


def _greeting(address: str, settings: Settings, *, demo: bool) -> str:
    lines = ["", f"Ticket Home serves at  {address}", f"API documentation      {address}/docs"]
    if demo:
        lines += [
            "Logins                 superuser; admin_sant, clinical_sant, viewer_sant, and so for each clinic:",
            "                       iqui, elqu, valp, prov, sant, vita, ranc, mayo, maga",
            f"Password               {settings.demo_password.get_secret_value()}",
        ]
    return "\n".join([*lines, "Ctrl-C stops it.", ""])


def _for_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM ends what runs as Ctrl-C does: in good order."""
    raise KeyboardInterrupt


@contextmanager
def _interruptible() -> Iterator[None]:
    """Being stopped is how serving ends: no failure."""
    try:
        yield
    except KeyboardInterrupt:
        return
