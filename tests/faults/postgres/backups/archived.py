"""A server whose WAL is archived, and that is put back to a moment: a base backup, and what was archived since."""

import shutil
from pathlib import Path

import asyncpg

from core.operations.embedded.postgres import NAME
from tests.faults.postgres.otherwise import StartedOtherwise
from tests.support.machine import until
from tests.support.servers.breakable import Breakable
from tests.support.servers.databases import database_named

WHOLE = ("-c", "wal_level=replica", "-c", "max_wal_senders=4")
POINT = "before the mistake"


class Archived:
    """`async with Archived(folder, server) as archived:` the server of `folder` keeps what it takes to be put back.

    Leaving starts it again as it was, with what it has then.
    """

    def __init__(self, folder: Path, server: Breakable) -> None:
        self._server = server
        self._archiving = StartedOtherwise(folder)
        self._archive = folder / "archive"
        self._base = folder / "base"

    async def __aenter__(self) -> "Archived":
        await self._server.kill()
        for path in (self._archive, self._base):
            path.mkdir(mode=0o700)
            self._archiving.account.own(path)
        command = f"archive_command=cp %p {self._archive}/%f"
        await self._archiving.start((*WHOLE, "-c", "archive_mode=on", "-c", command))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._archiving.stop()
        for path in (self._archive, self._base):
            shutil.rmtree(path, ignore_errors=True)
        await self._server.start()

    def back_up(self) -> None:
        sockets = str(self._archiving.sockets)
        self._archiving.run("pg_basebackup", "-h", sockets, "-U", NAME, "-D", str(self._base), "--checkpoint=fast")

    async def mark(self) -> None:
        """This is the moment that it will be put back to."""
        await self._execute(f"SELECT pg_create_restore_point('{POINT}')")

    async def put_back(self) -> None:
        """Return once it takes writes again, at the same address, without what came after the mark."""
        await self._execute("SELECT pg_switch_wal()")
        await self._archiving.stop()
        shutil.rmtree(self._archiving.data)
        self._base.rename(self._archiving.data)
        signal = self._archiving.data / "recovery.signal"
        signal.touch()
        self._archiving.account.own(signal)
        target = ("-c", f"recovery_target_name={POINT}", "-c", "recovery_target_action=promote")
        restore = ("-c", f"restore_command=cp {self._archive}/%f %p")
        await self._archiving.start((*WHOLE, "-c", "hot_standby=on", *restore, *target))
        await until(self._is_promoted)

    async def _is_promoted(self) -> bool:
        try:
            connection = await asyncpg.connect(database_named(self._server.url, "postgres"))
        except asyncpg.CannotConnectNowError:
            return False
        try:
            return not await connection.fetchval("SELECT pg_is_in_recovery()")
        finally:
            await connection.close()

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(database_named(self._server.url, "postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
