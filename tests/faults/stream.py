"""Requests that go on whatever happens, each answer compared with what had been committed when it was asked for."""

import asyncio
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import text

from core.db.transaction import WriteSession
from core.runtime import Runtime
from tests.support import machine

INSERT = text("INSERT INTO doctor (clinic_id, name) VALUES (:clinic, 'Dr. ' || gen_random_uuid())")
NOTHING_SLOWER = 1.0
"""Seconds: a budget, and room for what comes before and after. redis-py by itself waits up to a minute."""
READS = frozenset({"hit", "fwd=miss"})
"""Outcomes that a stream of reads and writes has again and again, whatever befalls Redis."""


@dataclass
class Seen:
    """What clients saw since it was last emptied."""

    answers: int = 0
    wrong: list[str] = field(default_factory=list)
    outcomes: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    """Of each answer."""

    @property
    def slowest(self) -> float:
        return max(self.seconds, default=0.0)


class Stream:
    """Reads and writes a clinic's doctors. The application writes, so it must know what it wrote: no staleness at all.

    `written` counts commits that were answered, `begun` those that were sent.
    """

    def __init__(self, runtime: Runtime, client: httpx.AsyncClient, clinic_id: int, existing: int) -> None:
        self.runtime = runtime
        self._client = client
        self.clinic_id = clinic_id
        self.written = self.begun = existing
        self.seen = Seen()

    async def read(self) -> None:
        loop = asyncio.get_running_loop()
        at_least, started = self.written, loop.time()
        answer = await self._client.get("/v1/doctors")
        self.seen.seconds.append(loop.time() - started)
        self.seen.answers += 1
        if answer.status_code != 200:
            self.seen.wrong.append(f"{answer.status_code}: {answer.text}")
            return
        found = len(answer.json()["items"])
        self.seen.outcomes.add(answer.headers["cache-status"].split("; ")[1])
        if not at_least <= found <= self.begun:
            self.seen.wrong.append(f"{found}, where {at_least} to {self.begun} were there")

    async def write(self) -> None:
        async def work(session: WriteSession) -> None:
            await session.execute(INSERT, {"clinic": self.clinic_id})

        self.begun += 1
        await self.runtime.database.write(work)
        self.written += 1

    async def _reads(self) -> None:
        while True:
            await self.read()
            await asyncio.sleep(0.002)  # the application has its turn: it is in the same process

    async def _writes(self) -> None:
        while True:
            await self.write()
            await asyncio.sleep(0.05)  # so that there are hits between two writes

    @asynccontextmanager
    async def flowing(self, readers: int = 3) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._reads()) for _ in range(readers)] + [asyncio.create_task(self._writes())]
        try:
            yield
            broken: list[Any] = [task for task in tasks if task.done()]
            for task in broken:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def flow(self, seconds: float, outcomes: Set[str] = frozenset()) -> Seen:
        """What was seen in the seconds that follow, and for as long as it takes until `outcomes` are among it."""
        self.seen = seen = Seen()
        # Clients go on by themselves for as long.
        await asyncio.sleep(seconds)
        await machine.until(lambda: outcomes <= seen.outcomes)
        return seen
