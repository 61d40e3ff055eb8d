"""A service with the demo's data, for what looks at pages by hand: the READMEs' pictures, another browser."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.machine import PATIENCE
from tests.support.processes import commands
from tests.support.processes.services import serving

CLINIC = "sant"
"""Whose users are `clinical_sant` and the like; `superuser` is nobody's."""


@contextmanager
def demo_service() -> Iterator[str]:
    """Its address. Its servers are its own, and gone with it."""
    with tempfile.TemporaryDirectory() as folder:
        serve = (commands.TICKET_HOME, "serve", "--demo", "--data-dir", f"{folder}/data")
        with serving(*serve, environment=commands.environment(), log=Path(folder, "log"), within=PATIENCE) as service:
            yield service.url


def user_of(role: str) -> str:
    return role if role == "superuser" else f"{role}_{CLINIC}"
