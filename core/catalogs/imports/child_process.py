"""The serving side of an import: a file that came over the network is read by a process of its own, which may neither
hold up requests nor take more of the machine than it is given."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

from core.catalogs.imports import wire
from core.catalogs.imports.file import File
from core.catalogs.imports.report import NoCatalog
from core.errors import Unavailable
from core.telemetry.log import logger

AT_ONCE = 1
"""Files that a serving process has read: each takes a processor for its time."""
TURN = 5.0
"""Seconds that a further one waits for its turn."""
READING = 15.0
"""Seconds until a file that is read by a machine with other work is given up; its own limits are in child/."""
PROCESSOR = 5
"""Seconds of the processor that one file may take: ten thousand rows take two."""
COMMAND = (sys.executable, "-P", "-m", "core.catalogs.imports.child")


class FileReader:
    """Starts the processes that read files, so many at once, and ends them. One per process that serves."""

    def __init__(self, seconds: int = PROCESSOR) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._seconds = seconds

    async def read(self, content: bytes, name: str) -> File:
        """What the file says. Raises NoCatalog where it is none or takes too much, Unavailable where others take too
        long or the machine does, and wire.ReadingFailed."""
        try:
            async with asyncio.timeout(TURN):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unavailable("Another file is being imported just now.", retry_after=int(TURN)) from error
        try:
            async with asyncio.timeout(READING):
                return await _read(json.dumps([name, self._seconds]).encode() + b"\n" + content)
        except TimeoutError as error:
            raise Unavailable("Reading the file took too long just now.", retry_after=int(READING)) from error
        finally:
            self._turns.release()


async def _read(given: bytes) -> File:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=wire.LONGEST, start_new_session=True
    )
    try:
        await _give(process, given)
        return await _taken(process)
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        raise
    finally:
        await _ended(process)


async def _give(process: Process, given: bytes) -> None:
    assert process.stdin is not None  # noqa: S101  it was asked for
    process.stdin.write(given)
    with suppress(ConnectionError):
        # Whoever ended before reading it says why, or its exit status does.
        await process.stdin.drain()
    process.stdin.close()


async def _taken(process: Process) -> File:
    assert process.stdout is not None  # noqa: S101  it was asked for
    received = wire.Received()
    try:
        async for line in process.stdout:
            received.take(line)
    except wire.ReadingFailed as failed:
        logger.error("reading a catalog's file failed", error=str(failed), stack=failed.stack)
        raise
    if received.is_whole:
        return received.file
    status = await process.wait()
    if status < 0:
        # By the kernel: it used up the processor's time, or a parser in C came to the end of its stack or memory.
        raise NoCatalog("too_slow")
    logger.error("reading a catalog's file failed", status=status)
    raise wire.ReadingFailed("no ending", "")


async def _ended(process: Process) -> None:
    if process.stdout is not None:
        # A full pipe would keep it from ending.
        while await process.stdout.read(64 * 1024):
            pass
    await process.wait()
