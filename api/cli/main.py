"""`ticket-home`: every command runs on the configured servers, or on the data folder's own.

Each module of api/cli/commands has a `commands`, found by being there: a group with its name, or commands of their own.
"""

import gc
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

import typer

from api.cli import commands
from core.telemetry.log import configure

MODULES = [module.name for module in iter_modules(commands.__path__, f"{commands.__name__}.")]


def command_line(words: Sequence[str] = ()) -> typer.Typer:
    """`ticket-home` for these arguments: where its first names a module, with that one's commands alone. What the
    others import takes a quarter of a second, by which a service would start later."""
    made = typer.Typer(
        name="ticket-home",
        help="Surgical discharge planning for a network of clinics.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    named = [name for name in MODULES if [name.rpartition(".")[2]] == list(words[:1])]
    for name in named or MODULES:
        made.add_typer(import_module(name).commands)
    return made


def main() -> None:
    # Commands print their result, and nothing else may stand in it; serving configures its own log.
    configure("console", level=logging.WARNING, to=sys.stderr)
    # Modules make much that stays: looking through it for garbage again and again is a seventh of their import.
    gc.disable()
    named = command_line(sys.argv[1:])
    gc.enable()
    named()
