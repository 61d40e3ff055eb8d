"""A flight that has ended is joined by nobody, whoever asks, and in whichever turn of the loop.

No servers: what a read of the database would do is done by the test, at the very moment that matters. A loop that goes
round without a real wait would hang a test, too; so each look at the map is counted, and too many are an error.
"""

import ast
import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from core.cache.single_flight import Flights
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.map import VersionMap
from core.cache.versions.snapshot import VersionSnapshot
from core.clock import boottime
from core.db.transaction import Database
from core.errors import Unavailable

ROOT = Path(__file__).parents[3]
LOOKS = 50
"""More than any request here needs, by far."""
ROW = (5, "figures")


class CountingMap(VersionMap):
    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def is_fresh(self) -> bool:
        self.looks += 1
        assert self.looks < LOOKS, "the loop goes round without a wait"
        return super().is_fresh()


class Rows:
    """In place of the database: gives `versions`, one after the other, each after `during` was called."""

    def __init__(self, *versions: int, during: Callable[[int], None] = lambda _: None) -> None:
        self.versions = versions
        self.reads = 0
        self.during = during

    async def read(self, _work: object, *, budget: float) -> VersionSnapshot:
        self.reads += 1
        number = self.reads
        await asyncio.sleep(budget / 100)
        self.during(number)
        version = self.versions[min(number, len(self.versions)) - 1]
        return VersionSnapshot([(*ROW, version)], "1", 1_700_000_000.0, full=True)


def direct_reads(rows: Rows) -> tuple[DirectReads, CountingMap]:
    versions = CountingMap()
    return DirectReads(cast("Database", rows), versions), versions


Compute = Callable[[], Awaitable[int]]
Way = Callable[[Flights[int], Compute], Coroutine[Any, Any, tuple[int, bool]]]


async def join(flights: Flights[int], compute: Compute) -> tuple[int, bool]:
    return await flights.join("k", compute)


async def join_next(flights: Flights[int], compute: Compute) -> tuple[int, bool]:
    return await flights.join_next("k", compute)


@pytest.mark.parametrize("way", [join, join_next])
async def test_who_asks_in_the_very_turn_in_which_a_flight_ends_gets_another_one(way: Way) -> None:
    flights: Flights[int] = Flights()
    late: list[asyncio.Task[tuple[int, bool]]] = []
    runs = 0

    async def compute() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        if runs == 1:
            # Its first step comes after this flight's last one, and before anybody is told of it.
            late.append(asyncio.create_task(way(flights, compute)))
        return runs

    assert await flights.join("k", compute) == (1, False)
    assert await late[0] == (2, False)
    assert len(flights) == 0


async def test_every_join_waits_so_that_others_get_their_turn() -> None:
    """Also of a flight that needs no wait itself, and of one whose last joiner asks again at once."""
    flights: Flights[int] = Flights()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def compute() -> int:
        return 7

    beside = asyncio.create_task(others())
    for number in range(1, 20):
        await flights.join("k", compute)
        assert turns >= number
    beside.cancel()


async def test_who_needs_a_newer_one_waits_for_the_one_under_way_and_begins_the_next() -> None:
    flights: Flights[int] = Flights()
    begun: list[int] = []
    end = asyncio.Event()

    async def compute() -> int:
        begun.append(len(begun) + 1)
        number = begun[-1]
        if number == 1:
            await end.wait()
        return number

    first = asyncio.create_task(flights.join("k", compute))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    newer = [asyncio.create_task(join_next(flights, compute)) for _ in range(3)]
    await asyncio.sleep(0)
    assert begun == [1]
    end.set()
    assert await first == (1, False)
    # One flight for all three: it began after each of them had asked.
    assert {value for value, _ in await asyncio.gather(*newer)} == {2}
    assert begun == [1, 2]


async def test_who_needs_a_newer_one_is_not_told_the_error_of_the_one_before() -> None:
    flights: Flights[int] = Flights()
    runs = 0

    async def compute() -> int:
        nonlocal runs
        runs += 1
        number = runs
        await asyncio.sleep(0)
        if number == 1:
            raise ValueError("the first")
        return number

    first = asyncio.create_task(flights.join("k", compute))
    await asyncio.sleep(0)
    assert await join_next(flights, compute) == (2, False)
    with pytest.raises(ValueError, match="the first"):
        await first


async def test_who_leaves_while_waiting_for_the_flight_before_cancels_nothing() -> None:
    flights: Flights[int] = Flights()
    end = asyncio.Event()

    async def compute() -> int:
        await end.wait()
        return 7

    first = asyncio.create_task(flights.join("k", compute))
    await asyncio.sleep(0)
    leaving = asyncio.create_task(join_next(flights, compute))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    end.set()
    assert await first == (7, False)


async def test_a_read_that_distrusts_the_map_while_it_runs_is_followed_by_another() -> None:
    def during(number: int) -> None:
        if number <= 3:
            versions.distrust()

    rows = Rows(1, during=during)
    direct, versions = direct_reads(rows)
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    assert rows.reads == 4


async def test_a_request_in_the_turn_in_which_a_distrusted_read_ends_reads_for_itself() -> None:
    late: list[asyncio.Task[None]] = []

    def during(number: int) -> None:
        if number == 1:
            versions.distrust()
            late.append(asyncio.create_task(direct.ensure_fresh()))

    rows = Rows(1, during=during)
    direct, versions = direct_reads(rows)
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    await asyncio.wait_for(late[0], 5)
    assert rows.reads == 2


async def test_a_pause_of_the_process_after_a_read_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between the read's answer and those who wait for it: the lease is over when they go on."""
    late: list[asyncio.Task[None]] = []
    jump = 0.0
    for module in ("core.cache.versions.map", "core.cache.versions.direct_reads"):
        monkeypatch.setattr(f"{module}.boottime", lambda: boottime() + jump)

    class Pausing(CountingMap):
        def read_ended(self, *snapshot: Any) -> None:
            nonlocal jump
            super().read_ended(*snapshot)
            if rows.reads == 1:
                jump = 10.0
                late.append(asyncio.create_task(direct.ensure_fresh()))

    rows = Rows(1)
    versions = Pausing()
    direct = DirectReads(cast("Database", rows), versions)
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    await asyncio.wait_for(late[0], 5)
    assert rows.reads == 2


@pytest.mark.parametrize("distrusted", [False, True])
async def test_what_is_required_is_read_after_it_was_required(distrusted: bool) -> None:
    """In the turn in which a read ends that began before: its version is not the one that is asked for."""
    late: list[asyncio.Task[None]] = []

    def during(number: int) -> None:
        if number == 1:
            late.append(asyncio.create_task(direct.require({ROW: 2})))
            if distrusted:
                versions.distrust()

    rows = Rows(1, 2, during=during)
    direct, versions = direct_reads(rows)
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    await asyncio.wait_for(late[0], 5)
    assert not direct.behind({ROW: 2})
    assert rows.reads == 2


async def test_what_is_required_during_a_read_is_read_again_unless_that_one_brings_it() -> None:
    for brings, reads in (((1, 2), 2), ((2, 2), 1)):
        rows = Rows(*brings)
        direct, _ = direct_reads(rows)
        under_way = asyncio.create_task(direct.ensure_fresh())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert rows.reads == 1
        await asyncio.wait_for(direct.require({ROW: 2}), 5)
        await under_way
        assert not direct.behind({ROW: 2})
        assert rows.reads == reads


async def test_a_read_that_fails_is_told_to_all_who_wait_and_the_next_request_reads_again() -> None:
    outcomes: list[Exception | None] = [Unavailable(), None]

    def during(number: int) -> None:
        outcome = outcomes[number - 1]
        if outcome is not None:
            raise outcome

    rows = Rows(1, during=during)
    direct, _ = direct_reads(rows)
    told = await asyncio.gather(*(direct.ensure_fresh() for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in told] == [Unavailable] * 3
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    assert rows.reads == 2


@pytest.mark.parametrize("name", ["shield", "Lock"])
def test_there_is_one_module_of_flights_and_locks(name: str) -> None:
    """Tasks that several wait for, and asyncio's locks, are nowhere else."""
    found = {
        str(path.relative_to(ROOT))
        for folder in ("core", "api")
        for path in (ROOT / folder).rglob("*.py")
        if any(
            isinstance(node, ast.Attribute) and ast.unparse(node) == f"asyncio.{name}"
            for node in ast.walk(ast.parse(path.read_text()))
        )
    }
    assert found == {"core/cache/single_flight.py"}
