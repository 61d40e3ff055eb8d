"""One run: load on, faults at random, and the checker's verdict at its end."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from core.clock import boottime
from tests.faults.chaos import restores  # noqa: F401  its kinds are among KINDS
from tests.faults.chaos.faults import KINDS, Breaking
from tests.faults.chaos.follower import Follower
from tests.faults.chaos.history.checker import Verdict, check
from tests.faults.chaos.history.history import Fault, History
from tests.faults.chaos.load import PAUSE, Reader, World, Writer
from tests.faults.chaos.network import faults  # noqa: F401  likewise
from tests.faults.chaos.progress import Watcher
from tests.faults.chaos.site import Site

READERS = 3
"""Connections to each process."""
LONGEST = 3.0
QUIET = 1.5
"""Seconds between two faults, at most."""
LOOK = 1.0
"""Seconds between two looks at what has come to light, where a violation ends the run."""


@dataclass
class Chaos:
    site: Site
    seed: int
    faults: Sequence[str]
    """Names of KINDS that may happen."""
    until_violated: str | None = None
    """A run ends early with a violation of which this is said; "" is said of any."""
    in_sql: float = 0.4
    """Of the writes: how many are plain SQL."""
    pause: float = PAUSE
    """Seconds between two writes to one register, on average."""
    readers: int = READERS
    history: History = field(default_factory=History)

    @property
    def first(self) -> dict[str, str]:
        return {register.name: register.first for register in self.site.registers}

    async def run(self, seconds: float) -> Verdict:
        chance = random.Random(self.seed)
        site = self.site
        world = World(
            site.ports, site.registers, site.writer, site.database_url, self.history, chance, self.in_sql, self.pause
        )
        readers = [Reader(world, process) for process in range(len(site.ports)) for _ in range(self.readers)]
        writers = [Writer(world, register) for register in site.registers]
        watchers = [Watcher(world, process) for process in range(len(site.ports))]
        followers = [Follower(world, process) for process in range(len(site.ports))]
        everybody: list[Reader | Writer | Watcher | Follower] = [*readers, *writers, *watchers, *followers]
        clients = [asyncio.create_task(client.run()) for client in everybody]
        breaking = asyncio.create_task(self._break(Breaking(site, world, random.Random(self.seed + 1)), seconds))
        try:
            return await self._watch(clients, breaking, seconds)
        finally:
            for task in [*clients, breaking]:
                task.cancel()
            await asyncio.gather(*clients, breaking, return_exceptions=True)
            for client in everybody:
                client.close()

    async def _watch(
        self, clients: list["asyncio.Task[None]"], breaking: "asyncio.Task[None]", seconds: float
    ) -> Verdict:
        until = boottime() + seconds
        while not breaking.done() or boottime() < until:
            await asyncio.wait([*clients, breaking], timeout=LOOK, return_when=asyncio.FIRST_EXCEPTION)
            for task in [*clients, breaking]:
                if task.done():
                    task.result()
            if (wrong := self.until_violated) is not None:
                verdict = check(self.history.events, self.first)
                if any(wrong in violation.why for violation in verdict.violations):
                    return verdict
        return check(self.history.events, self.first)

    async def _break(self, here: Breaking, seconds: float) -> None:
        """Each of the faults once, in a random order, then whichever, until the time is up."""
        until = boottime() + seconds
        coming: list[str] = []
        while self.faults:
            # Faults begin at random moments, and last for random times.
            await asyncio.sleep(here.chance.random() * QUIET)
            if boottime() >= until:
                return
            if not coming:
                coming = here.chance.sample(list(self.faults), len(self.faults))
            await self._one(here, coming.pop())

    async def _one(self, here: Breaking, name: str) -> None:
        began = boottime()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(KINDS[name](here))
            await asyncio.sleep(here.chance.random() * LONGEST)
        self.history.add(Fault(name, began, boottime()))
