"""`ticket-home` with its commands, each run as a process of its own."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

from api.cli.main import MODULES, main
from core.settings import Settings

ROOT = Path(__file__).parents[3]
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
        "CANARY_SECONDS": str(settings.canary_seconds),
        "EVENT_SECONDS": str(settings.event_seconds),
        "CACHE_REFRESH_AHEAD": str(settings.cache_refresh_ahead).lower(),
    }


def run(given: Mapping[str, str], *arguments: object, typed: str = "") -> Ended:
    """Run `ticket-home ARGUMENTS` to its end, in the environment `given`; `typed` is its standard input.

    Its process is forked from one that has imported the command line: that takes longer than most commands do.
    """
    words = ["ticket-home", *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        for path in files:
            path.write_text(typed if path.name == "stdin" else "")
        process = _prepared().Process(target=_command, args=(dict(given), words, [str(path) for path in files]))
        process.start()
        process.join(WITHIN)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, WITHIN)
        code = process.exitcode
        process.close()
        return Ended(words, code, *(path.read_text() for path in files[1:]))


@cache
def _prepared() -> ForkServerContext:
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["api.cli.main", *MODULES, "alembic.command"])
    return made


def _command(given: Mapping[str, str], words: Sequence[str], files: Sequence[str]) -> None:
    """In the new process: become the command."""
    for descriptor, path in enumerate(files):
        opened = os.open(path, os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  multiprocessing has closed it
    os.environ.clear()
    os.environ.update(given)
    sys.argv[:] = words
    main()


async def run_beside(given: Mapping[str, str], *arguments: object, typed: str = "") -> Ended:
    """As `run`, while the application of this process goes on, and hears of what the command changes."""
    return await asyncio.to_thread(run, given, *arguments, typed=typed)


def refused(ended: Ended) -> str:
    """What a command says of its failure: a sentence, and no traceback."""
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr
