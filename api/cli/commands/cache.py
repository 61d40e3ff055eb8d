"""`ticket-home cache`: what the admin routes show and do, for an operator at the machine."""

import asyncio
import sys
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.cli.actor import OPERATOR
from api.cli.failures import explained, fail
from api.cli.installation import DataDir, installation
from core.cache.stats import admin
from core.clinics.references import clinic_with_prefix
from core.db.transaction import WriteSession
from core.runtime import open_runtime
from core.settings import Settings

commands = typer.Typer(name="cache", help="Look at the cache, invalidate it, forget it.", no_args_is_help=True)

WIDE = 140
"""Columns where the terminal does not say: a file, a pipe."""


@commands.command("status")
def status(data_dir: DataDir = None) -> None:
    """Hits and misses per policy and tier, summed over the serving processes."""
    with explained(), installation(data_dir) as settings:
        report = asyncio.run(_status(settings))
    Console(width=None if sys.stdout.isatty() else WIDE).print(_table(report))
    if not report.figures.complete:
        fail(
            "Not all serving processes could be asked: Redis is away, or SECRET_KEYS here is not theirs; the figures"
            " are of the others."
        )


@commands.command("invalidate")
def invalidate(
    clinic: Annotated[str | None, typer.Option(metavar="PREFIX", help="Only this clinic's, e.g. SANT.")] = None,
    topic: Annotated[str | None, typer.Option(help="tickets, figures, catalogs, clinics or users.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make every process compute anew what depends on the topic, in the clinic; without options, everything."""
    with explained(), installation(data_dir) as settings:
        asyncio.run(_invalidate(settings, clinic, topic))
        typer.echo(f"Invalidated {topic or 'everything'} of {clinic.upper() if clinic else 'every clinic'}.")


@commands.command("forget")
def forget(data_dir: DataDir = None) -> None:
    """After something unforeseen: make every process forget all that it keeps, and read the database."""
    with explained(), installation(data_dir) as settings:
        if not asyncio.run(_forget(settings)):
            fail(
                "Triggers are missing, so nothing is kept, and each request is answered from the database: run"
                " ticket-home doctor --repair."
            )
        typer.echo("Within two seconds every process has forgotten what it kept. Nobody is signed out.")


async def _forget(settings: Settings) -> bool:
    """Raises Unavailable."""

    async def work(session: WriteSession) -> bool:
        return await admin.forget(session, OPERATOR)

    async with open_runtime(settings, serves=False) as runtime:
        return await runtime.database.write(work)


async def _status(settings: Settings) -> admin.CacheReport:
    """Of the serving processes: this one, which serves nobody, is not counted."""
    async with open_runtime(settings, serves=False) as runtime:
        found = await admin.status(runtime.published, runtime.redis)
    return replace(found, figures=replace(found.figures, processes=found.figures.processes - 1))


async def _invalidate(settings: Settings, prefix: str | None, topic: str | None) -> None:
    """Raises NotFound for a prefix that no clinic has, Invalid for an unknown topic, Unavailable."""

    async def work(session: WriteSession) -> None:
        clinic_id = None if prefix is None else await clinic_with_prefix(session, prefix)
        await admin.invalidate(session, OPERATOR, clinic_id, topic)

    async with open_runtime(settings, serves=False) as runtime:
        await runtime.database.write(work)


def _table(report: admin.CacheReport) -> Table:
    headings = ("policy", "tier", "hits", "misses", "collapsed", "stale", "errors", "hit rate", "entries", "bytes")
    made = Table(
        title=f"{report.figures.processes} serving {'process' if report.figures.processes == 1 else 'processes'}"
    )
    for heading in headings:
        made.add_column(heading, justify="left" if heading in ("policy", "tier") else "right")
    for row in report.rows:
        figures = (row.hits, row.misses, row.collapsed, row.stale, row.errors)
        rate = "" if row.hit_rate is None else f"{row.hit_rate:.1%}"
        held = ("?" if value is None else f"{value:,}" for value in (row.entries, row.bytes))
        made.add_row(row.policy, row.tier, *(f"{figure:,}" for figure in figures), rate, *held)
    return made
