"""Looking at processes from outside: /proc, and programs that start servers and then do nothing."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import machine

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
    """The process, and what it told of its servers."""
    process = begun(folder, *flags, become=become)
    return process, told(process)


def begun(folder: Path, *flags: str, become: Callable[[], None] | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=become,
    )


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def end(process: "subprocess.Popen[str]") -> None:
    """Let it stop by itself, and read to the end."""
    process.communicate(timeout=20)


def state_of(pid: int) -> str | None:
    """As the kernel has it: R runs, S sleeps, T is stopped, Z is a zombie. None where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # before the file was opened, or before it was read
        return None


def is_at_work(pid: int) -> bool:
    """Of a stopped process: whether it was computing, in no call to the kernel. True where nobody may look."""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[0] == "-1"
    except (FileNotFoundError, PermissionError):
        return True


def alive(pid: int) -> bool:
    """Zombies are not."""
    return state_of(pid) not in (None, "Z")


def family(pid: int) -> set[int]:
    """The process and all that descend from it; empty where it has ended."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return set()
    return {pid}.union(*(family(child) for task in tasks for child in _children(task)))


def _children(task: Path) -> list[int]:
    """Of one thread; none where it has just ended."""
    try:
        return [int(child) for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def gone_within(seconds: float, pids: set[int]) -> float:
    """Seconds until none of them lives. Fails where that takes longer."""
    began = machine.now()
    while left := {pid for pid in pids if alive(pid)}:
        assert machine.now() - began < machine.bound(seconds, began), f"still there: {left}"
        time.sleep(0.01)
    return machine.now() - began
