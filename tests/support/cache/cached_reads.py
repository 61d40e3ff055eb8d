"""One cached read, of how many tickets a clinic has; a test sees each run of its loader, and may hold it up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import text

from core.cache.answer import Answer
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.keys import Parameters
from core.cache.policy import Policy
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from tests.support import machine

POLICY = Policy("count", 60, "shape", ("figures",), ("clinics",))


class Counting:
    """One process that serves the count of a clinic's tickets."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.runs = 0
        self.at_work = self.most_at_work = 0
        """Loaders between their snapshot and the count: now, and the most that there were."""
        self.pause = 0.0
        """Seconds between the snapshot and the count."""
        self.begun = asyncio.Event()
        """A loader has its snapshot."""
        self.go_on = asyncio.Event()
        """Loaders wait for it between the snapshot and the count; a test clears it."""
        self.go_on.set()
        self.valid_for: float | None = None
        self.computed_for: list[float] = []
        """As of which moments (epoch seconds) it was counted."""

    async def read(self, clinic_id: int, parameters: Parameters | None = None, **options: object) -> Answer:
        async def load(fill: Fill) -> Loaded:
            self.runs += 1
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
            self.begun.set()
            await asyncio.sleep(self.pause)
            await self.go_on.wait()
            self.at_work -= 1
            counted = await fill.session.scalar(
                text("SELECT count(*) FROM ticket WHERE clinic_id = :clinic"), {"clinic": clinic_id}
            )
            self.computed_for.append(fill.now.timestamp())
            until = fill.now + timedelta(seconds=self.valid_for) if self.valid_for else None
            return Loaded(str(counted).encode(), until)

        return await self.runtime.cache.read(CachedRead(POLICY, clinic_id, parameters or {}, load), **options)  # type: ignore[arg-type]

    async def count(self, clinic_id: int) -> int:
        return int((await self.read(clinic_id)).entry.body)

    async def within_two_seconds(self, expected: int, clinic_id: int) -> float:
        """Seconds until a read gives `expected`; fails after the bound of the promise."""
        return await machine.until_equal(lambda: self.count(clinic_id), expected, within=2.0)


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[Counting]:
    """A process of the installation, as far as caches go: nothing is shared with others but the servers."""
    async with open_runtime(settings) as runtime:
        yield Counting(runtime)
