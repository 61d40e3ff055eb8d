"""Clients of several processes: readers that ask without pause, and for each register one writer at a time."""

import asyncio
import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import asyncpg

from core.clock import boottime
from tests.faults.chaos.history.history import History, Read, Write
from tests.faults.chaos.http import Connection
from tests.faults.chaos.registers import SIGNED_OUT, Register
from tests.faults.clients.crowd import Answer

PATIENCE = 2.0
"""Seconds that a plain SQL writer waits."""
LEAVES = 0.01
"""Of readers: how many hang up before the answer."""
PAUSE = 0.03
"""Seconds between two writes to one register, on average."""


@dataclass
class World:
    """What clients know: where the processes listen, and how they sign in."""

    ports: Sequence[int]
    registers: Sequence[Register]
    writer: str
    """What a superuser sends as `Authorization`, who writes every register, and reads all doctors in one answer."""
    database_url: str
    history: History
    chance: random.Random
    in_sql: float = 0.4
    """Of the writes: how many go past every process."""
    pause: float = PAUSE
    stopped: set[int] = field(default_factory=set)
    """Processes that are stopped or not there: writers do not wait for them, and nobody expects that they answer."""
    writing: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared where nobody may write: see Restore."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Nobody writes."""
    has_forged: bool = False
    """Somebody sent notifications of versions that nobody made, which clients may be told, and that do no harm."""

    def __post_init__(self) -> None:
        self._words = self._busy = 0
        self.writing.set()
        self.idle.set()

    def word(self) -> str:
        """One that no register has had."""
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
        self._known: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}
        """Path and bearer → the last ETag, and the words that it stood for."""

    async def open(self) -> None:
        await self._connection.open()

    def close(self) -> None:
        self._connection.close()

    async def run(self) -> None:
        world = self._world
        while True:
            if world.chance.random() < 0.1:
                await self.read([one for one in world.registers if one.is_network], world.writer)
            else:
                register = world.chance.choice(world.registers)
                await self.read([register], register.bearer)

    async def read(
        self, registers: Sequence[Register], bearer: str, kind: str = "plain", more: Mapping[str, str] | None = None
    ) -> dict[str, str] | None:
        """Ask once for what shows all of them, and write down what was answered for each: the words, by register. None
        where none were, or those of an answer that said it was stale."""
        headers = {"Authorization": bearer} | dict(more or {})
        path = registers[0].path
        known = self._known.get((path, bearer))
        if known is not None and self._world.chance.random() < 0.5:
            headers["If-None-Match"] = known[0]
        sent = boottime()
        asking = self._connection.ask("GET", path, headers)
        try:
            if self._world.chance.random() < LEAVES:
                # Not wait_for: Python 3.11's may swallow the cancellation at the run's end, and the client never ends.
                async with asyncio.timeout(self._world.chance.random() * 0.01):
                    await asking
                return None
            answer = await asking
        except TimeoutError:
            if boottime() - sent > 1.0:
                self._note(registers, sent, kind, "timeout")
            return None
        except ConnectionError:
            self._note(registers, sent, kind, "connection")
            await asyncio.sleep(0.05)  # as below
            return None
        if answer.status == 503:
            await asyncio.sleep(0.05)  # far less patient than Retry-After asks for
        return self._understand(registers, sent, kind, answer, bearer)

    def _understand(
        self, registers: Sequence[Register], sent: float, kind: str, answer: Answer, bearer: str
    ) -> dict[str, str] | None:
        key = (registers[0].path, bearer)
        if answer.status == 304:
            words, outcome = self._known[key][1], "304"
        elif answer.status == 200:
            body = json.loads(answer.body)
            words, outcome = {one.name: one.shown(body, one) for one in registers}, outcome_of(answer)
            if "etag" in answer.headers:
                self._known[key] = (answer.headers["etag"], words)
        elif answer.status == 401 and registers[0].ends:
            words, outcome = {one.name: SIGNED_OUT for one in registers}, "401"
        else:
            self._note(registers, sent, kind, str(answer.status))
            return None
        ended = boottime()
        age = float(answer.headers.get("age", 0))
        for one in registers:
            self._world.history.add(Read(one.name, words[one.name], sent, ended, kind, self._process, outcome, age))
        return None if outcome == "stale" else words

    def _note(self, registers: Sequence[Register], sent: float, kind: str, error: str) -> None:
        ended = boottime()
        for one in registers:
            self._world.history.add(Read(one.name, None, sent, ended, kind, self._process, error))


def outcome_of(answer: Answer) -> str:
    """hit, miss or stale. A cache that does not tell cannot label, either."""
    status = answer.headers.get("cache-status")
    return status.split("; ")[1].removeprefix("fwd=") if status else "unlabelled"


class Writer:
    """Writes one register, by any process or in plain SQL, and reads what it wrote."""

    def __init__(self, world: World, register: Register) -> None:
        self._world = world
        self._register = register
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
                if self._register.patched and chance.random() >= self._world.in_sql:
                    await self._by_a_process(self._world.any_process())
                else:
                    ways = ["plain", "plain", "savepoint", "rollback", "batch"]
                    await self._in_sql(chance.choice([*ways, "end"] if self._register.ends else ways))
            finally:
                self._world.has_written()
            # Writes come at random moments, at a rate that the run was told.
            await asyncio.sleep(chance.random() * 2 * self._world.pause)

    async def _by_a_process(self, process: int) -> None:
        answer = await self._patch(process)
        if answer is None or answer.status != 200:
            await asyncio.sleep(0.1)  # what is broken is not asked without a pause
            return
        register = self._register
        await self._readers[process].read([register], register.bearer, "own")
        if (versions := answer.headers.get("cache-version")) is not None:
            other = self._world.any_process()
            await self._readers[other].read([register], register.bearer, "required", {"Cache-Version": versions})

    async def _patch(self, process: int) -> Answer | None:
        """What a PATCH of a new word by that process is answered; None where no answer came."""
        with self._writing(f"process {process}") as write:
            headers, body = {"Authorization": self._world.writer}, json.dumps({"name": write.word}).encode()
            try:
                answer = await self._connections[process].ask("PATCH", self._register.patched, headers, body)
            except (ConnectionError, TimeoutError):
                self._note(write, "unknown")
                return None
            self._note(write, "done" if answer.status == 200 else "unknown", f": {answer.status}")
        if answer.status not in (200, 503):
            wrong = f"write {answer.status}"
            self._world.history.add(Read(write.register, None, write.sent, boottime(), "plain", process, wrong))
        return answer

    async def _in_sql(self, how: str) -> None:
        with self._writing(f"SQL, {how}", SIGNED_OUT if how == "end" else None) as write:
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
            await asyncio.sleep(0.1)  # what is broken is not asked without a pause

    async def _statements(self, sql: "asyncpg.Connection[asyncpg.Record]", how: str, word: str, wrong: str) -> None:
        update, item = self._register.renames, self._register.item
        if how == "end":
            await sql.execute(self._register.ends, item)
            return
        if how == "plain":
            await sql.execute(update, word, item)
            return
        transaction = sql.transaction()
        await transaction.start()
        if how == "savepoint":
            savepoint = sql.transaction()
            await savepoint.start()
            await sql.execute(update, wrong, item)
            await savepoint.rollback()
        await sql.execute(update, wrong if how == "batch" else word, item)
        if how == "batch":
            await sql.execute(update, word, item)
        await (transaction.rollback() if how == "rollback" else transaction.commit())

    @contextmanager
    def _writing(self, how: str, word: str | None = None) -> Iterator[Write]:
        """A write, of a new word by itself, in the history before any reader can see it."""
        write = Write(self._register.name, word or self._world.word(), boottime(), math.inf, "unknown", how)
        with self._world.history.begun(write):
            yield write

    def _note(self, write: Write, outcome: str, more: str = "") -> None:
        self._world.history.add(replace(write, ended=boottime(), outcome=outcome, how=write.how + more))
