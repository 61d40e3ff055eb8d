"""`ticket-home migrate`: before a new release serves."""

import typer

from api.cli.failures import explained
from api.cli.installation import DataDir, installation
from core.db.schema.migrate import upgrade

commands = typer.Typer()


@commands.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the newest revision; of several at once, one does."""
    with explained(), installation(data_dir, at_any_revision=True) as settings:
        if upgrade(settings.require_direct_url()):
            typer.echo("The database is at the newest revision.")
        else:
            typer.echo("A newer release has migrated the database. This one works on it, too: nothing is to be done.")
