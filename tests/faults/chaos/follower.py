"""Clients that follow `GET /v1/events`: each holds what it was told to fetch, and is told of every change in time.

A change is told late where a client, whose stream goes on and has not said `stale`, still holds a word that was
replaced longer ago than a process may take to know and to tell. And what it is told of can be fetched: a version is
wrong that the database has yet to reach, or that no answer does while the same is answered without it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection

import asyncpg

from tests.faults.chaos.history.history import Restore, Untold, Write
from tests.faults.chaos.load import PATIENCE, Reader, World
from tests.faults.chaos.registers import FIRST, Register
from tests.support import machine
from tests.support.event_streams import Client, Event, connected

TOLD = 5.0
"""Seconds, on a calm machine, after which a change is told, or that nobody knows what is current: the lease, one read
of the versions, and a second for all clients."""
REACHED = 10.0
"""Seconds, on a calm machine, within which some process answers under a version that was told."""
FETCHES = 0.3
"""Seconds between two rounds of fetching: far less patient than clients are asked to be."""
LOOK = 0.1

Name = tuple[int, str]


class Follower:
    """Follows one process's stream as a superuser, and fetches from any."""

    def __init__(self, world: World, process: int) -> None:
        self._world = world
        self._process = process
        self._registers = [one for one in world.registers if one.topics]
        self._readers = [Reader(world, number) for number in range(len(world.ports))]
        self._told: dict[Name, str] = {}
        """The version of each topic, as the stream told it last."""
        self._due: dict[str, float] = {}
        """Register → since when (machine) it is to be fetched."""
        self._held: dict[str, str] = {}
        self._is_stale = True
        """Nothing is said of what is held: before the first `versions`, and after a `stale`."""
        self._seen = 0
        """Events of the history."""
        self._restored = float("-inf")
        """When (machine) it was last seen that something had been restored."""
        self._newest: dict[str, str] = {}
        """Register → the last word that was surely written; none in the middle of a restore."""
        self._certain: defaultdict[str, set[str]] = defaultdict(lambda: {FIRST})
        self._behind: dict[str, tuple[str, float]] = {}
        """Register → (the word that it should have, since when (machine) it has an older one)."""

        self._sql: asyncpg.Connection[asyncpg.Record] | None = None

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
        if self._sql is not None:
            self._sql.terminate()

    async def run(self) -> None:
        while True:
            try:
                async with connected(self._world.ports[self._process], {"Authorization": self._world.writer}) as stream:
                    if stream.status == 200:
                        await self._follow(stream)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                pass  # the process is stopped, killed or on its way up
            await asyncio.sleep(LOOK)

    async def _follow(self, stream: Client) -> None:
        self._told.clear()
        self._held.clear()
        self._is_stale = True
        beside = [asyncio.create_task(work()) for work in (self._fetch, self._look)]
        try:
            async for event in stream.all():
                self._take(event)
                for task in beside:
                    if task.done():
                        task.result()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    def _take(self, event: Event) -> None:
        if event.name == "stale":
            self._is_stale = True
        if event.name == "versions":
            self._is_stale = False
        for (clinic_id, topic), word in event.words.items():
            name = clinic_id or 0, topic
            if self._told.get(name) != word:
                self._told[name] = word
                for register in self._registers:
                    if register.shows(*name):
                        self._due.setdefault(register.name, machine.now())

    # --- what it fetches

    async def _fetch(self) -> None:
        while True:
            await asyncio.sleep(FETCHES)
            await self._ask_whether_they_were_made()
            for register in self._registers:
                if register.name in self._due:
                    await self._fetch_one(register)

    async def _fetch_one(self, register: Register) -> None:
        since = self._due.pop(register.name)
        words = ", ".join(word for (clinic, topic), word in self._told.items() if register.shows(clinic, topic))
        reader = self._readers[self._world.any_process()]
        shown = await reader.read([register], register.bearer, "told", {"Cache-Version": words})
        if shown is not None:
            self._held[register.name] = shown[register.name]
            return
        self._due.setdefault(register.name, since)
        late = machine.now() - since
        if late > machine.bound(REACHED, since) and await reader.read([register], register.bearer) is not None:
            self._note(register.name, late, "is answered, but under no version that was told")
            self._due[register.name] = machine.now()

    async def _ask_whether_they_were_made(self) -> None:
        """Versions only rise, but where a restore puts them back; and all are the database's, but forged ones."""
        told, restored = dict(self._told), self._restored
        try:
            async with asyncio.timeout(PATIENCE):
                if self._sql is None or self._sql.is_closed():
                    self._sql = await asyncpg.connect(self._world.database_url)
                rows = await self._sql.fetch("SELECT clinic_id, topic, version FROM cache_version")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            if self._sql is not None:
                self._sql.terminate()
                self._sql = None
            return
        made = {(row["clinic_id"], row["topic"]): row["version"] for row in rows}
        self._learn()
        if self._world.has_forged or not self._world.writing.is_set():
            return
        if restored != self._restored or machine.now() - restored < REACHED:
            return
        for name, word in told.items():
            if int(word.rpartition(".")[0].rpartition("=")[2]) > made.get(name, 0):
                self._note(f"{name[1]} of clinic {name[0]}", 0.0, f"is told as {word}, which was never made")

    # --- what it ought to have been told

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self._learn()
            if self._is_stale or self._process in self._world.stopped:
                self._behind.clear()
                continue
            for register in self._registers:
                self._compare(register)

    def _learn(self) -> None:
        """What has surely been written since the last look."""
        ended = self._world.history.ended
        for event in ended[self._seen :]:
            if isinstance(event, Write) and event.outcome == "done":
                self._newest[event.register] = event.word
                self._certain[event.register].add(event.word)
            elif isinstance(event, Restore):
                self._restored = machine.now()
                self._forget(event.registers or [one.name for one in self._registers])
        self._seen = len(ended)
        if not self._world.writing.is_set():
            self._forget([one.name for one in self._registers])

    def _forget(self, registers: Collection[str]) -> None:
        for name in registers:
            self._newest.pop(name, None)

    def _compare(self, register: Register) -> None:
        newest, held = self._newest.get(register.name), self._held.get(register.name)
        # A word of unknown outcome may have come over a later one.
        knows = newest is None or held is None or held not in self._certain[register.name]
        if knows or _number(held) >= _number(newest) or register.name in self._due:
            self._behind.pop(register.name, None)
            return
        word, since = self._behind.setdefault(register.name, (str(held), machine.now()))
        if word != held:
            del self._behind[register.name]
        elif (late := machine.now() - since) > machine.bound(TOLD, since):
            self._note(register.name, late, f"became {newest!r}, and who follows it holds {held!r}: told late")
            del self._behind[register.name]

    def _note(self, what: str, late: float, why: str) -> None:
        self._world.history.add(Untold(self._process, what, machine.now() - late, machine.now(), why))


def _number(word: str | None) -> int:
    return int((word or FIRST).rpartition("W")[2])
