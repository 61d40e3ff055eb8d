"""`ticket-home`: every command runs on the configured servers, or on the data folder's own.

Each module of api/cli/commands has a `commands`, found by being there: a group with its name, or commands of their own.
"""

import logging
from importlib import import_module
from pkgutil import iter_modules

import typer

from api.cli import commands
from core.log import configure

app = typer.Typer(
    name="ticket-home",
    help="Surgical discharge planning for a network of clinics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in iter_modules(commands.__path__, f"{commands.__name__}."):
    app.add_typer(import_module(module.name).commands)


def main() -> None:
    # Commands print their result; serving configures its own log.
    configure("console", level=logging.WARNING)
    app()
