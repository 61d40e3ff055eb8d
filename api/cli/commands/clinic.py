"""`ticket-home clinic`: clinics without demo data, and what they begin with."""

import asyncio
from typing import Annotated

import typer
from sqlalchemy import select

from api.cli.actor import OPERATOR
from api.cli.failures import by_the_rules_of_http, explained, fail
from api.cli.installation import DataDir, installation
from api.v1.catalogs.bodies import ClinicIn, ThresholdsIn
from core.catalogs.change_thresholds import set_thresholds
from core.catalogs.delay_reasons import add_delay_reasons
from core.catalogs.thresholds import DEFAULTS
from core.clinics.create import create as create_clinic
from core.clinics.models import Clinic
from core.clinics.references import clinic_with_prefix
from core.db.transaction import ReadSession, WriteSession
from core.errors import Conflict
from core.operations.demo.names import CHAIN, NETWORK, timezone_of
from core.runtime import open_runtime
from core.settings import Settings

commands = typer.Typer(name="clinic", help="Make clinics, and give them what they begin with.", no_args_is_help=True)


@commands.callback()
def clinic() -> None:
    """Make clinics, and give them what they begin with."""


@commands.command("create")
def create(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", show_default=False)] = None,
    redsalud: Annotated[bool, typer.Option("--redsalud", help="The nine of RedSalud.")] = False,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="IANA's name; by default the place's.", show_default=False)
    ] = None,
    thresholds: Annotated[
        tuple[int, int, int] | None,
        typer.Option(metavar="RED YELLOW GREEN", help="Hours, as its own; else the global ones.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """New clinics, with the usual reasons for delays and nothing else. One that is there stays as it is."""
    every = [*(names or []), *([f"{CHAIN} {place}" for place in NETWORK] if redsalud else [])]
    if not every:
        fail("Name a clinic, or say --redsalud.")
    with explained(), installation(data_dir) as settings:
        for name, prefix in asyncio.run(_create(settings, every, timezone, thresholds)):
            typer.echo(f"{name} is there already." if prefix is None else f"Created {prefix}, {name}.")


async def _create(
    settings: Settings, names: list[str], timezone: str | None, thresholds: tuple[int, int, int] | None
) -> list[tuple[str, str | None]]:
    """(name, prefix; None where there is one of that name), each clinic whole or not at all."""
    with by_the_rules_of_http():
        asked = [ClinicIn(name=name) for name in names]
        hours = [ThresholdsIn(**dict(zip(DEFAULTS, thresholds, strict=True))).hours] if thresholds else []
    made: list[tuple[str, str | None]] = []
    async with open_runtime(settings, serves=False) as runtime:
        for one in asked:

            async def work(session: WriteSession, one: ClinicIn = one) -> str:
                zone = timezone or timezone_of(one.name)
                clinic = await create_clinic(session, OPERATOR, name=one.name, timezone=zone, is_active=True)
                for own in hours:
                    await set_thresholds(session, OPERATOR, clinic.id, own)
                await add_delay_reasons(session, OPERATOR, clinic.id)
                return clinic.prefix

            try:
                made.append((one.name, await runtime.database.write(work)))
            except Conflict:
                made.append((one.name, None))
    return made


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
