"""Processes that start the embedded servers, and then do nothing until they are ended."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[4]

STARTER = """
import json, signal, sys
from pathlib import Path

from tests.support import machine
from core.operations.embedded import start_servers
servers = start_servers(Path(sys.argv[1]), durable=False, bound="bound" in sys.argv)
print(json.dumps({kind: {"url": one.url, "pid": one.pid, "supervisor": one.supervisor and one.supervisor.pid}
    for kind, one in (("postgres", servers.postgres), ("valkey", servers.valkey))}), flush=True)
sys.stdin.read()
servers.stop()
"""
"""Starts or joins, tells, and stops once its standard input is closed."""


def starter(
    folder: Path, *flags: str, become: Callable[[], None] | None = None
) -> "tuple[subprocess.Popen[str], dict[str, Any]]":
    """The process, and the first line that it printed."""
    process = begun(folder, *flags, become=become)
    return process, line_of(process)


def begun(folder: Path, *flags: str, become: Callable[[], None] | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=become,
    )


def line_of(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """The next line that it prints, as JSON."""
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def end(process: "subprocess.Popen[str]") -> None:
    """Let it stop by itself, and read to the end."""
    process.communicate(timeout=20)
