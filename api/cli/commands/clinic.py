"""`ticket-home clinic`: what a clinic begins with."""

import asyncio
from typing import Annotated

import typer
from sqlalchemy import select

from api.cli.actor import OPERATOR
from api.cli.failures import explained
from api.cli.installation import DataDir, installation
from core.catalogs.delay_reasons import add_delay_reasons
from core.clinics.models import Clinic
from core.clinics.references import clinic_with_prefix
from core.db.transaction import ReadSession, WriteSession
from core.runtime import open_runtime
from core.settings import Settings

commands = typer.Typer(name="clinic", help="What clinics begin with.", no_args_is_help=True)


@commands.callback()
def clinic() -> None:
    """What clinics begin with."""


@commands.command("delays")
def delays(
    clinic: Annotated[
        list[str] | None, typer.Option(metavar="PREFIX", help="Only of this one; may be repeated.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Give clinics the usual reasons for delays. What a clinic has already stays as it is."""
    with explained(), installation(data_dir) as settings:
        for prefix, added in asyncio.run(_add_delays(settings, clinic or [])):
            typer.echo(f"{prefix}: {added} reasons were added." if added else f"{prefix} has them all.")


async def _add_delays(settings: Settings, prefixes: list[str]) -> list[tuple[str, int]]:
    async def every(session: ReadSession) -> list[str]:
        return list(await session.scalars(select(Clinic.prefix).where(Clinic.is_active).order_by(Clinic.prefix)))

    async with open_runtime(settings, serves=False) as runtime:
        done = []
        for prefix in prefixes or await runtime.database.read(every):

            async def add(session: WriteSession, prefix: str = prefix) -> int:
                return await add_delay_reasons(session, OPERATOR, await clinic_with_prefix(session, prefix))

            done.append((prefix.upper(), await runtime.database.write(add)))
        return done
