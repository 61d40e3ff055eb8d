"""`ticket-home demo`: clinics, users and tickets to try things with."""

import sys
from typing import Annotated

import typer

from api.cli.failures import explained
from api.cli.installation import DataDir, installation
from core.operations.demo import fill
from core.settings import Settings

commands = typer.Typer()

Clinics = Annotated[int, typer.Option(help="How many clinics; the first nine have real names.", min=1, max=1000)]
Tickets = Annotated[int, typer.Option(help="How many tickets over all clinics.", min=0)]
Seed = Annotated[int, typer.Option(help="The same seed makes the same data.")]

DEMO_CLINICS = 9
DEMO_TICKETS = 5000
DEMO_SEED = 1


@commands.command()
def demo(
    clinics: Clinics = DEMO_CLINICS,
    tickets: Tickets = DEMO_TICKETS,
    seed: Seed = DEMO_SEED,
    data_dir: DataDir = None,
) -> None:
    """Fill in demo data; what is there already stays as it is."""
    with explained(), installation(data_dir) as settings:
        typer.echo(filled(settings, clinics, tickets, seed))


def filled(settings: Settings, clinics: int = DEMO_CLINICS, tickets: int = DEMO_TICKETS, seed: int = DEMO_SEED) -> str:
    """Fill in what is missing, with a progress bar at a terminal. Gives what there is then, for people to read.

    Raises DemoRefused in production.
    """
    summary = fill(
        settings.require_direct_url(),
        clinics=clinics,
        tickets=tickets,
        seed=seed,
        password=settings.demo_password.get_secret_value(),
        progress=sys.stderr.isatty(),
    )
    return str(summary)
