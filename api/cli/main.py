"""`ticket-home`: every command runs on the configured servers, or on the data folder's own."""

import asyncio
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from api.cli.cache import cache_invalidate, cache_status, table
from api.cli.command_line import DataDir, explained, fail
from api.cli.doctor import doctor
from api.cli.imports import imports
from api.cli.installation import installation
from api.cli.user import housekeeping, user
from api.server import serve as serving
from core.db.migrate import upgrade
from core.log import configure
from core.operations.demo import fill
from core.settings import Settings

app = typer.Typer(
    name="ticket-home",
    help="Surgical discharge planning for a network of clinics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cache = typer.Typer(help="Look at the cache, or invalidate it.", no_args_is_help=True)
app.add_typer(cache, name="cache")
app.add_typer(user, name="user")
app.add_typer(imports, name="import")
app.command()(housekeeping)
app.command()(doctor)

Clinics = Annotated[int, typer.Option(help="How many clinics; the first nine have real names.", min=1, max=1000)]
Tickets = Annotated[int, typer.Option(help="How many tickets over all clinics.", min=0)]
Seed = Annotated[int, typer.Option(help="The same seed makes the same data.")]

WIDE = 140
"""Columns where nobody tells: a file, a pipe."""

DEMO_CLINICS = 9
DEMO_TICKETS = 5000
DEMO_SEED = 1


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes.", min=1, envvar="WEB_CONCURRENCY")] = 1,
    data_dir: DataDir = None,
    demo: Annotated[bool, typer.Option("--demo", help="Fill in the demo data first, and tell the logins.")] = False,
    end_with_parent: Annotated[bool, typer.Option("--end-with-parent", hidden=True)] = False,
) -> None:
    """Serve. Locally it migrates, and starts PostgreSQL and Valkey where no address is configured."""
    signal.signal(signal.SIGTERM, _interrupt)
    if end_with_parent:
        serving.end_with_parent()
    code = 0
    with (
        explained(),
        _interruptible(),
        serving.listen(host, port) as listening,
        installation(data_dir, bound=True, migrated=True) as settings,
    ):
        if demo:
            _fill(settings, DEMO_CLINICS, DEMO_TICKETS, DEMO_SEED)
        greeting = _greeting(f"http://{_for_url(host)}:{listening.getsockname()[1]}", settings, demo=demo)
        code = serving.run(listening, workers, settings, lambda: typer.echo(greeting))
    raise typer.Exit(code)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the newest revision; of several at once, one does."""
    with explained(), installation(data_dir) as settings:
        upgrade(settings.require_direct_url())
        typer.echo("The database is at the newest revision.")


@app.command()
def demo(
    clinics: Clinics = DEMO_CLINICS,
    tickets: Tickets = DEMO_TICKETS,
    seed: Seed = DEMO_SEED,
    data_dir: DataDir = None,
) -> None:
    """Fill in demo data; what is there already stays as it is."""
    with explained(), installation(data_dir) as settings:
        typer.echo(_fill(settings, clinics, tickets, seed))


@cache.command("status")
def cache_status_(data_dir: DataDir = None) -> None:
    """Hits and misses per policy and tier, summed over the serving processes."""
    with explained(), installation(data_dir) as settings:
        report = asyncio.run(cache_status(settings))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table(report))
    if not report.figures.complete:
        fail(
            "Not all serving processes could be asked: Redis is away, or SECRET_KEYS here is not theirs; the figures"
            " are of the others."
        )


@cache.command("invalidate")
def cache_invalidate_(
    clinic: Annotated[str | None, typer.Option(metavar="PREFIX", help="Only this clinic's, e.g. SANT.")] = None,
    topic: Annotated[str | None, typer.Option(help="tickets, figures, catalogs, clinics or users.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make every process compute anew what depends on the topic, in the clinic; without options, everything."""
    with explained(), installation(data_dir) as settings:
        asyncio.run(cache_invalidate(settings, clinic, topic))
        typer.echo(f"Invalidated {topic or 'everything'} of {clinic.upper() if clinic else 'every clinic'}.")


def main() -> None:
    # Commands tell their result; serving configures its own log.
    configure("console", level=logging.WARNING)
    app()


def _fill(settings: Settings, clinics: int, tickets: int, seed: int) -> str:
    summary = fill(
        settings.require_direct_url(),
        clinics=clinics,
        tickets=tickets,
        seed=seed,
        password=settings.demo_password.get_secret_value(),
        progress=sys.stderr.isatty(),
    )
    return str(summary)


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
