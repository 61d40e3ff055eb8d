"""Processes seen from outside, in /proc: whether they live, what they do, and what descends from them."""

import os
from pathlib import Path

from tests.support import machine


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


def cpu_seconds_of(pid: int) -> float:
    """For how long it has computed, in all its threads. Counted in hundredths."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def command_of(pid: int) -> bytes:
    """Its words, each ended by a zero byte; empty where there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


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
    return machine.wait_until(lambda: not any(alive(pid) for pid in pids), within=seconds)
