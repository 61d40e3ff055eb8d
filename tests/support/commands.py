"""`ticket-home` with its commands, each run as a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from core.settings import Settings

ROOT = Path(__file__).parents[2]
"""The checkout."""
TICKET_HOME = str(Path(sys.executable).parent / "ticket-home")
WITHIN = 100.0
"""Seconds after which a command is taken to hang."""

Ended = subprocess.CompletedProcess[str]


def environment(settings: Settings | None = None, **more: str) -> dict[str, str]:
    """A process's whole environment: nothing is configured but the test's installation, if any, and `more`."""
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    bare |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return bare | (installation(settings) if settings else {}) | more


def installation(settings: Settings) -> dict[str, str]:
    """What makes a process one of the installation that a test has set up."""
    listen_url = settings.database_listen_url
    return {
        "DATABASE_URL": settings.require_database_url(),
        "DATABASE_LISTEN_URL": listen_url.get_secret_value() if listen_url else "",
        "REDIS_URL": settings.require_redis_url(),
        "SECRET_KEYS": ",".join(key.get_secret_value() for key in settings.secret_keys),
        "CACHE_PREFIX": settings.cache_prefix,
        "CACHE_PUSH": str(settings.cache_push).lower(),
    }


def run(given: Mapping[str, str], *arguments: object, typed: str = "") -> Ended:
    """Run `ticket-home ARGUMENTS` to its end, in the environment `given`; `typed` is its standard input."""
    command = [TICKET_HOME, *map(str, arguments)]
    return subprocess.run(command, env=given, input=typed, capture_output=True, text=True, timeout=WITHIN, check=False)


async def run_beside(given: Mapping[str, str], *arguments: object, typed: str = "") -> Ended:
    """As `run`, while the application of this process goes on, and hears of what the command changes."""
    return await asyncio.to_thread(run, given, *arguments, typed=typed)


def refused(ended: Ended) -> str:
    """What a command says of its failure: a sentence, and no traceback."""
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr
