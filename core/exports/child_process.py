"""The serving side of an export: the process that makes it, and its bytes as they come."""

import asyncio
import json
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from core.db.failures import AWAY_CLASSES
from core.errors import Unavailable
from core.exports.child.scratch import sweep
from core.exports.job import Job
from core.telemetry.log import logger

AT_ONCE = 3
"""Exports per serving process: each is a process of some 60 MB, with a connection of its own."""
TURN = 10.0
"""Seconds that a further one waits for its turn."""
CHUNK = 64 * 1024
"""Bytes that are read of its file at once, at most."""
ENDING = 2.0
"""Seconds that a process gets to remove its files."""
NO_ROOM = "The file cannot be made just now: the server's temporary folder is full, or cannot be written to."
COMMAND = (sys.executable, "-P", "-m", "core.exports.child")


class ExportFailed(Exception):
    """An export could not be made, by a fault of ours. The log has its kind and place, as the process said them."""


class ChildProcesses:
    """Starts the processes that make exports, so many at once, and ends them. One per process that serves."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turns = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def run(self, job: Job) -> AsyncIterator["ChildProcess"]:
        """An export that is being made; leaving ends it, done or not. Raises Unavailable where others take too long."""
        try:
            async with asyncio.timeout(TURN):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unavailable("Too many exports are being made just now.", retry_after=int(TURN)) from error
        try:
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                # The terminal's Ctrl-C is not meant for it: what is under way may end.
                start_new_session=True,
            )
            child = ChildProcess(process)
            try:
                await child.begin(job)
                yield child
            finally:
                await child.end()
                if process.returncode:
                    # Killed, it could not clean up behind it.
                    await asyncio.to_thread(sweep)
        finally:
            self._turns.release()


class ChildProcess:
    """The process that makes one export; `ChildProcesses.run` begins and ends it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._said = asyncio.ensure_future(process.stderr.read() if process.stderr else _nothing())
        self.rows: int | None = None
        """How many there were, once all of it has been read."""

    @property
    def process_id(self) -> int:
        return self._process.pid

    async def begin(self, job: Job) -> None:
        """Give it its job. Raises ExportFailed where it cannot be given one."""
        if self._process.stdin is None:
            raise ExportFailed("no standard input")
        self._process.stdin.write(pickle.dumps(job))
        with suppress(ConnectionError):
            # Whoever ended before reading it says why.
            await self._process.stdin.drain()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file. Raises Unavailable where the database was away, and ExportFailed; what came before is cut short."""
        if self._process.stdout is None:
            raise ExportFailed("no standard output")
        while chunk := await self._process.stdout.read(CHUNK):
            yield chunk
        self.rows = self._rows(await self._said)

    def _rows(self, said: bytes) -> int:
        ending: dict[str, Any] = {}
        with suppress(ValueError, IndexError):
            ending = json.loads(said.splitlines()[-1])
        if isinstance(rows := ending.get("rows"), int):
            return rows
        if "disk" in ending:
            # Of the files, no name: the folder's is made by chance.
            logger.error("no room for an export", errno=ending["disk"], error=ending.get("error"))
            raise Unavailable(NO_ROOM, retry_after=60)
        if ending.get("cut") or str(ending.get("sqlstate")).startswith(AWAY_CLASSES):
            raise Unavailable
        # Without a line of its own it was killed, or never ran; what it may have printed then could hold values.
        logger.error("export failed", **ending)
        raise ExportFailed

    async def end(self) -> None:
        """Closing its standard input ends it; a process that does not heed that is killed."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(ENDING):
                await self._ended()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._ended()

    async def _ended(self) -> None:
        # What it still writes is read and dropped: a full pipe would keep it from ending.
        if self._process.stdout is not None:
            while await self._process.stdout.read(CHUNK):
                pass
        await self._said
        await self._process.wait()


async def _nothing() -> bytes:
    return b""
