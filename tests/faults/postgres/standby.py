"""A primary that is demoted: the same folder and address, started again as a standby."""

from pathlib import Path

import asyncpg

from tests.faults.postgres.otherwise import StartedOtherwise
from tests.support.servers.breakable import Breakable
from tests.support.servers.databases import database_named

REPLICATING = ("-c", "wal_level=replica", "-c", "hot_standby=on")
"""The embedded server writes less, and what it wrote so no standby reads: it is started like this once before."""


class Demoted:
    """`async with Demoted(folder, server):` the server of `folder` is a standby until it is promoted.

    Leaving starts it again as it was, with all that the promoted one took.
    """

    def __init__(self, folder: Path, server: Breakable) -> None:
        self._server = server
        self._standby = StartedOtherwise(folder)
        self._signal = self._standby.data / "standby.signal"

    async def __aenter__(self) -> "Demoted":
        await self._server.kill()
        try:
            await self._standby.start(REPLICATING)
            await self._standby.stop()
            self._signal.touch()
            self._standby.account.own(self._signal)
            await self._standby.start(REPLICATING)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._standby.stop()
        self._signal.unlink(missing_ok=True)
        await self._server.start()

    async def promote(self) -> None:
        connection = await asyncpg.connect(database_named(self._server.url, "postgres"))
        assert await connection.fetchval("SELECT pg_promote()")
        await connection.close()
