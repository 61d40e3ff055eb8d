"""Processes of one installation, and sessions in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.db.transaction import WriteSession
from core.errors import NotAuthenticated
from core.runtime import Runtime, open_runtime
from core.sessions.copies import SessionCopy
from core.settings import Settings
from core.users.attempt import Attempt
from core.users.sign_in import SignedIn, sign_in, sign_out
from tests.factories.rows import PASSWORD
from tests.support import machine


@dataclass
class Process:
    runtime: Runtime
    ahead: float = 0.0

    def clock(self, seconds: float) -> None:
        """Set this process's idea of the database's clock so many seconds ahead of it."""
        self.runtime.versions.clock.shift(seconds - self.ahead)
        self.ahead = seconds

    async def sign_in(self, name: str, client: str = "mobile", password: str = PASSWORD) -> SignedIn:
        runtime = self.runtime
        return await sign_in(
            *(runtime.database, runtime.sessions, runtime.passwords, runtime.throttle),
            Attempt(name, client, "192.0.2.7", "test"),
            password,
        )

    async def who(self, token: str, *, slide: bool = True, reading: bool = True) -> SessionCopy:
        return await self.runtime.sessions.authenticate(token, slide=slide, reading=reading)

    async def refuses(self, token: str, within: float) -> float:
        """Seconds until whoever sends the token is not signed in; fails after `within`."""

        async def is_refused() -> bool:
            try:
                await self.who(token)
            except NotAuthenticated:
                return True
            return False

        return await machine.until(is_refused, within=within)

    async def sign_out(self, token: str) -> None:
        actor = (await self.who(token)).actor()

        async def work(session: WriteSession) -> None:
            await sign_out(session, actor)

        await self.runtime.database.write(work)


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[Process]:
    async with open_runtime(settings) as runtime:
        yield Process(runtime)
