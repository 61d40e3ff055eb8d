"""`ticket-home housekeeping`: once, by hand or by a timer, what serving processes do hourly."""

import asyncio

import typer

from api.cli.failures import explained
from api.cli.installation import DataDir, installation
from core.operations.housekeeping.sweep import Swept, sweep
from core.runtime import open_runtime
from core.settings import Settings

commands = typer.Typer()


@commands.command()
def housekeeping(data_dir: DataDir = None) -> None:
    """Delete expired sessions and idempotency keys; serving processes do it hourly."""
    with explained(), installation(data_dir) as settings:
        swept = asyncio.run(_sweep(settings))
    if not swept.alone:
        typer.echo("Another process is at it.")
    typer.echo(f"Deleted {swept.sessions} sessions and {swept.idempotency_keys} idempotency keys.")


async def _sweep(settings: Settings) -> Swept:
    async with open_runtime(settings, serves=False) as runtime:
        return await sweep(runtime.database)
