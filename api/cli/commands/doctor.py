"""`ticket-home doctor`: what is wrong, in a line each, and what to do about it."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Annotated

import asyncpg
import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from api.cli.installation import DataDir, installation
from core.operations.doctor import configuration
from core.operations.doctor.configuration import Addresses, effective
from core.operations.doctor.examine import examine
from core.operations.doctor.finding import Finding, Verdict, failed, skipped
from core.operations.doctor.service import examine as asked
from core.operations.embedded import CannotStart
from core.settings import Settings

commands = typer.Typer()

COLOURS = {
    Verdict.OK: typer.colors.GREEN,
    Verdict.REPAIRED: typer.colors.GREEN,
    Verdict.SKIPPED: typer.colors.BRIGHT_BLACK,
    Verdict.WARNING: typer.colors.YELLOW,
    Verdict.FAILED: typer.colors.RED,
}
WIDTH = max(len(verdict.value) for verdict in Verdict)


@commands.command()
def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Put back triggers, versions, counters and search texts.")
    ] = False,
    service: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Also ask what runs there: a replica, or its balancer. May be given again."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Check settings, servers, versions, triggers, migrations, clocks and time zones, and say what to do."""
    verdicts: list[Verdict] = []

    def show(finding: Finding) -> None:
        verdicts.append(finding.verdict)
        verdict = typer.style(finding.verdict.value.ljust(WIDTH), fg=COLOURS[finding.verdict])
        typer.echo(f"{verdict}  {finding}")

    with ExitStack() as servers:
        if service and not os.environ.get("DATABASE_URL"):
            show(skipped("Servers", "DATABASE_URL is not set here: only the service is asked"))
        else:
            asyncio.run(_examine(_addresses(servers, data_dir, show), repair, show))
    if service:
        asyncio.run(_ask(service, show))
    if Verdict.FAILED in verdicts:
        raise typer.Exit(1)


def _addresses(servers: ExitStack, data_dir: DataDir, show: Callable[[Finding], None]) -> Addresses:
    """Those of the configured servers, or of the data folder's own; as many as can be had."""
    try:
        settings = servers.enter_context(installation(data_dir, whosesoever=True))
    except ValidationError as error:
        for finding in configuration.refused(error):
            show(finding)
        return Addresses.around(os.environ)
    except CannotStart as error:
        show(failed("Embedded servers", str(error), "see its log, or configure DATABASE_URL and REDIS_URL"))
        return Addresses.around(os.environ)
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        seen = f"the data folder's database cannot be migrated ({type(error).__name__})"
        show(failed("Embedded servers", seen, "see its log in the data folder"))
        return Addresses.around(os.environ)
    _print(settings)
    for finding in configuration.examined(settings):
        show(finding)
    return Addresses.of(settings)


def _print(settings: Settings) -> None:
    rows = effective(settings)
    width = max(len(name) for name, _, _ in rows)
    for name, value, is_given in rows:
        typer.echo(f"{name.ljust(width)}  {value}{'' if is_given else '  (by default)'}")
    typer.echo("")


async def _ask(urls: Sequence[str], show: Callable[[Finding], None]) -> None:
    try:
        settings = Settings()
    except ValidationError:
        show(skipped("Service", "not asked before the settings are put right"))
        return
    async for finding in asked.examine(urls, settings):
        show(finding)


async def _examine(addresses: Addresses, repair: bool, show: Callable[[Finding], None]) -> None:
    async for finding in examine(addresses, repair=repair):
        show(finding)
