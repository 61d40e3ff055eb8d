"""In which order fills get their turns, those ahead of the reader among them."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from core import times
from core.cache.fills.slots import AT_ONCE, FillSlots, FillTurn
from core.errors import Unavailable
from tests.support import machine

EVERY = AT_ONCE + 2
"""Connections of a pool that gives all the turns there may be."""


class Work:
    """Fills that go on until they are told to end."""

    def __init__(self, pool_size: int) -> None:
        self.slots = FillSlots(pool_size)
        self.begun: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def asks(self, name: str, turn: FillTurn | None = None) -> asyncio.Task[None]:
        self._ends[name] = asyncio.Event()

        async def work(_: float) -> None:
            self.begun.append(name)
            await self._ends[name].wait()

        task = self._tasks[name] = asyncio.create_task(self.slots.run(work, turn))
        await settled()
        return task

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self._tasks[name]
        await settled()

    async def give_up(self) -> None:
        """Whatever still works or waits: nobody leaves a task behind that is told of when it is garbage."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


WorkOf = Callable[[int], Work]


@pytest.fixture
async def work_of() -> AsyncIterator[WorkOf]:
    """Works with a pool of so many connections, given up after the test."""
    made: list[Work] = []

    def make(pool_size: int) -> Work:
        made.append(Work(pool_size))
        return made[-1]

    yield make
    for work in made:
        await work.give_up()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_at_most_two_of_eight_turns_are_ahead(work_of: WorkOf) -> None:
    work = work_of(EVERY)
    for number in range(4):
        await work.asks(f"ahead {number}", FillTurn(ahead=True))
    assert work.begun == ["ahead 0", "ahead 1"]
    for number in range(8):
        await work.asks(f"reader {number}")
    assert len(work.begun) == 8
    await work.end("ahead 0")
    assert work.begun[8:] == ["reader 6"]


async def test_a_turn_ahead_waits_for_every_reader(work_of: WorkOf) -> None:
    work = work_of(EVERY)
    for number in range(8):
        await work.asks(f"{number}")
    await work.asks("ahead", FillTurn(ahead=True))
    await work.asks("reader")
    await work.end("0")
    assert work.begun[8:] == ["reader"]
    await work.end("1")
    assert work.begun[9:] == ["ahead"]


async def test_a_reader_who_joins_makes_it_an_ordinary_turn(work_of: WorkOf) -> None:
    work = work_of(EVERY)
    for number in range(8):
        await work.asks(f"{number}")
    waiting = FillTurn(ahead=True)
    await work.asks("ahead", waiting)
    await work.asks("joined", joined := FillTurn(ahead=True))
    work.slots.hurry(joined)
    await work.end("0")
    assert work.begun[8:] == ["joined"]
    # And where two are ahead already it is none of them.
    more = work_of(EVERY)
    for number in range(3):
        await more.asks(f"{number}", waiting := FillTurn(ahead=True))
    assert len(more.begun) == 2
    more.slots.hurry(waiting)
    await settled()
    assert more.begun == ["0", "1", "2"]


async def test_who_joins_late_has_an_ordinary_turns_time(work_of: WorkOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "FILL", 0.2)
    work = work_of(3)
    await work.asks("first")
    left = await work.asks("left", FillTurn(ahead=True))
    hurried = await work.asks("joined", turn := FillTurn(ahead=True))
    monkeypatch.setattr(times, "FILL", machine.PATIENCE)
    work.slots.hurry(turn)
    with pytest.raises(Unavailable):
        await left
    await work.end("first")
    assert work.begun == ["first", "joined"]
    await work.end("joined")
    assert hurried.done()


async def test_who_leaves_takes_nobodys_turn(work_of: WorkOf) -> None:
    work = work_of(3)
    await work.asks("first")
    (await work.asks("leaves", FillTurn(ahead=True))).cancel()
    (await work.asks("leaves, too")).cancel()
    await work.asks("last")
    await work.end("first")
    assert work.begun == ["first", "last"]
    # Granted and left in the same moment.
    leaving = await work.asks("granted")
    work._ends["last"].set()
    await work._tasks["last"]
    leaving.cancel()
    await settled()
    await work.asks("next")
    assert work.begun[-1] == "next"
