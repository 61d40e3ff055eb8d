"""A process of its own that counts a clinic's doctors through its cache (counting_process.py, beside this file)."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from core.settings import Settings
from tests.support import machine
from tests.support.processes.commands import environment


class Told(NamedTuple):
    doctors: int
    outcome: str
    """hit, miss or stale"""
    fills: int
    """Of this process since it started."""
    wall: int
    """Its wall clock, epoch seconds."""


class Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    def ask(self, seconds: float = 0.0) -> None:
        """Send a read; its fill, if there is one, takes `seconds` once it has its snapshot."""
        self._stdin.write(b"read %f\n" % seconds)

    async def answer(self) -> Told:
        doctors, outcome, fills, wall = (await asyncio.wait_for(self._stdout.readline(), machine.PATIENCE)).split()
        return Told(int(doctors), outcome.decode(), int(fills), int(wall))

    async def version(self) -> int:
        """The version of the clinic's catalogs that the process knows. No read may be under way."""
        self._stdin.write(b"version\n")
        return int(await asyncio.wait_for(self._stdout.readline(), machine.PATIENCE))

    async def read(self) -> Told:
        self.ask()
        return await self.answer()

    async def doctors(self) -> int:
        return (await self.read()).doctors

    async def within_two_seconds(self, doctors: int) -> float:
        """Seconds until it counts so many; fails after the bound of the promise."""
        return await machine.until_equal(self.doctors, doctors, within=2.0)


@asynccontextmanager
async def child(settings: Settings, clinic_id: int, more: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.processes.counting_process", str(clinic_id)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(settings) | dict(more or {}),
    )
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        await process.wait()
