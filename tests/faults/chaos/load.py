"""Clients of several processes: readers that ask without pause, and for each clinic one writer at a time."""

import asyncio
import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import asyncpg

from core.clock import boottime
from tests.faults.chaos.history import History, Read, Write
from tests.faults.chaos.http import Connection
from tests.faults.crowd import Answer

PATIENCE = 2.0
"""Seconds that a plain SQL writer waits."""
LEAVES = 0.01
"""Of readers: how many hang up before the answer."""
PAUSE = 0.03
"""Seconds between two writes to one clinic, on average."""


@dataclass(frozen=True)
class Place:
    clinic: int
    doctor: int
    """Whose name is the register."""
    bearer: str
    """What one who reads this clinic sends as `Authorization`."""


@dataclass
class World:
    """What clients know: where the processes listen, and how they sign in."""

    ports: Sequence[int]
    places: Sequence[Place]
    writer: str
    """The same of a superuser: writes every clinic, and reads all of them in one answer."""
    database_url: str
    history: History
    chance: random.Random
    in_sql: float = 0.4
    """Of the writes: how many go past every process."""
    pause: float = PAUSE
    stopped: set[int] = field(default_factory=set)
    """Processes that writers do not wait for: they go on writing while one is stopped."""
    writing: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared where nobody may write: see Restore."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Nobody writes."""

    def __post_init__(self) -> None:
        self._words = self._busy = 0
        self.writing.set()
        self.idle.set()

    def word(self) -> str:
        """A new one."""
        self._words += 1
        return f"Dr. W{self._words}"

    def any_process(self) -> int:
        return self.chance.choice([process for process in range(len(self.ports)) if process not in self.stopped])

    async def may_write(self) -> None:
        await self.writing.wait()
        self._busy += 1
        self.idle.clear()

    def has_written(self) -> None:
        self._busy -= 1
        if not self._busy:
            self.idle.set()


class Reader:
    """One connection to one process."""

    def __init__(self, world: World, process: int) -> None:
        self._world = world
        self._process = process
        self._connection = Connection(world.ports[process])
        self._known: dict[str, tuple[str, dict[int, str]]] = {}
        """Bearer → the last ETag, and what it stood for."""

    async def open(self) -> None:
        await self._connection.open()

    def close(self) -> None:
        self._connection.close()

    async def run(self) -> None:
        world = self._world
        while True:
            if world.chance.random() < 0.1:
                await self.read(world.places, world.writer)
            else:
                place = world.chance.choice(world.places)
                await self.read([place], place.bearer)

    async def read(
        self, places: Sequence[Place], bearer: str, kind: str = "plain", more: Mapping[str, str] | None = None
    ) -> None:
        """Ask once, of one clinic or of all, and write down what was answered for each."""
        headers = {"Authorization": bearer} | dict(more or {})
        known = self._known.get(bearer)
        if known is not None and self._world.chance.random() < 0.5:
            headers["If-None-Match"] = known[0]
        sent = boottime()
        asking = self._connection.ask("GET", "/v1/doctors", headers)
        try:
            if self._world.chance.random() < LEAVES:
                # Not wait_for: Python 3.11's may swallow the cancellation at the run's end, and the client never ends.
                async with asyncio.timeout(self._world.chance.random() * 0.01):
                    await asking
                return
            answer = await asking
        except TimeoutError:
            if boottime() - sent > 1.0:
                self._note(places, sent, kind, "timeout")
            return
        except ConnectionError:
            self._note(places, sent, kind, "connection")
            await asyncio.sleep(0.05)
            return
        self._understand(places, sent, kind, answer, bearer)
        if answer.status == 503:
            await asyncio.sleep(0.05)  # far less patient than Retry-After asks for

    def _understand(self, places: Sequence[Place], sent: float, kind: str, answer: Answer, bearer: str) -> None:
        if answer.status == 304:
            words, outcome = self._known[bearer][1], "304"
        elif answer.status == 200:
            shown = {item["id"]: item["name"] for item in json.loads(answer.body)["items"]}
            words = {place.clinic: shown[place.doctor] for place in places}
            if "etag" in answer.headers:
                self._known[bearer] = (answer.headers["etag"], words)
            outcome = outcome_of(answer)
        else:
            self._note(places, sent, kind, str(answer.status))
            return
        ended = boottime()
        age = float(answer.headers.get("age", 0))
        for place in places:
            word = words[place.clinic]
            self._world.history.add(Read(place.clinic, word, sent, ended, kind, self._process, outcome, age))

    def _note(self, places: Sequence[Place], sent: float, kind: str, error: str) -> None:
        ended = boottime()
        for place in places:
            self._world.history.add(Read(place.clinic, None, sent, ended, kind, self._process, error))


def outcome_of(answer: Answer) -> str:
    """hit, miss or stale. A cache that does not tell cannot label, either."""
    told = answer.headers.get("cache-status")
    return told.split("; ")[1].removeprefix("fwd=") if told else "unlabelled"


class Writer:
    """Writes one clinic, by any process or in plain SQL, and reads what it wrote."""

    def __init__(self, world: World, place: Place) -> None:
        self._world = world
        self._place = place
        self._connections = [Connection(port) for port in world.ports]
        self._readers = [Reader(world, process) for process in range(len(world.ports))]
        self._sql: asyncpg.Connection[asyncpg.Record] | None = None

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        for reader in self._readers:
            reader.close()
        if self._sql is not None:
            self._sql.terminate()

    async def run(self) -> None:
        chance = self._world.chance
        while True:
            await self._world.may_write()
            try:
                if chance.random() >= self._world.in_sql:
                    await self._by_a_process(self._world.any_process())
                else:
                    await self._in_sql(chance.choice(["plain", "plain", "savepoint", "rollback", "batch"]))
            finally:
                self._world.has_written()
            await asyncio.sleep(chance.random() * 2 * self._world.pause)

    async def _by_a_process(self, process: int) -> None:
        answer = await self._patch(process)
        if answer is None or answer.status != 200:
            await asyncio.sleep(0.1)
            return
        place = self._place
        await self._readers[process].read([place], place.bearer, "own")
        if (versions := answer.headers.get("cache-version")) is not None:
            other = self._world.any_process()
            await self._readers[other].read([place], place.bearer, "required", {"Cache-Version": versions})

    async def _patch(self, process: int) -> Answer | None:
        """None where no answer came."""
        with self._writing(f"process {process}") as write:
            headers, body = {"Authorization": self._world.writer}, json.dumps({"name": write.word}).encode()
            try:
                answer = await self._connections[process].ask(
                    "PATCH", f"/v1/doctors/{self._place.doctor}", headers, body
                )
            except (ConnectionError, TimeoutError):
                self._note(write, "unknown")
                return None
            self._note(write, "done" if answer.status == 200 else "unknown", f": {answer.status}")
        if answer.status not in (200, 503):
            wrong = f"write {answer.status}"
            self._world.history.add(Read(write.clinic, None, write.sent, boottime(), "plain", process, wrong))
        return answer

    async def _in_sql(self, how: str) -> None:
        with self._writing(f"SQL, {how}") as write:
            outcome = "unknown"
            try:
                async with asyncio.timeout(PATIENCE):
                    if self._sql is None or self._sql.is_closed():
                        self._sql = await asyncpg.connect(self._world.database_url)
                    await self._statements(self._sql, how, write.word, self._world.word())
                outcome = "rolled back" if how == "rollback" else "done"
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                if self._sql is not None:
                    self._sql.terminate()
                    self._sql = None
            self._note(write, outcome)
        if outcome == "unknown":
            await asyncio.sleep(0.1)

    async def _statements(self, sql: "asyncpg.Connection[asyncpg.Record]", how: str, word: str, wrong: str) -> None:
        update, doctor = "UPDATE doctor SET name = $1 WHERE id = $2", self._place.doctor
        if how == "plain":
            await sql.execute(update, word, doctor)
            return
        transaction = sql.transaction()
        await transaction.start()
        if how == "savepoint":
            savepoint = sql.transaction()
            await savepoint.start()
            await sql.execute(update, wrong, doctor)
            await savepoint.rollback()
        await sql.execute(update, wrong if how == "batch" else word, doctor)
        if how == "batch":
            await sql.execute(update, word, doctor)
        await (transaction.rollback() if how == "rollback" else transaction.commit())

    @contextmanager
    def _writing(self, how: str) -> Iterator[Write]:
        """A new word's write, in the history before any reader can see it."""
        write = Write(self._place.clinic, self._world.word(), boottime(), math.inf, "unknown", how)
        with self._world.history.begun(write):
            yield write

    def _note(self, write: Write, outcome: str, more: str = "") -> None:
        self._world.history.add(replace(write, ended=boottime(), outcome=outcome, how=write.how + more))
