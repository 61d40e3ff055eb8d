"""A flight is shared by all who ask while it is under way, and joined by nobody once it has ended, whoever asks and in
whichever turn of the loop."""

import ast
import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from core.cache.single_flight import Flights, Locks

ROOT = Path(__file__).parents[3]
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


async def test_all_who_ask_while_it_flies_share_one_flight() -> None:
    flights: Flights[int] = Flights()
    runs = 0

    async def compute() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        return 7

    answers = await asyncio.gather(*(flights.join("k", compute) for _ in range(200)))
    assert runs == 1
    assert {value for value, _ in answers} == {7}
    assert sum(not joined for _, joined in answers) == 1
    assert len(flights) == 0


async def test_a_client_that_leaves_cancels_its_wait_and_not_the_work() -> None:
    flights: Flights[int] = Flights()
    runs = 0

    async def compute() -> int:
        nonlocal runs
        runs += 1
        begun.set()
        await go_on.wait()
        return 7

    begun, go_on = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(flights.join("k", compute))
    await begun.wait()
    others = [asyncio.create_task(flights.join("k", compute)) for _ in range(5)]
    await asyncio.sleep(0)  # each has joined
    first.cancel()
    go_on.set()
    assert [value for value, _ in await asyncio.gather(*others)] == [7] * 5
    assert runs == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_error_goes_to_all_who_wait_and_is_not_kept() -> None:
    flights: Flights[int] = Flights()
    outcomes = [ValueError("once"), None]

    async def compute() -> int:
        await asyncio.sleep(0)
        error = outcomes.pop(0)
        if error:
            raise error
        return 7

    waiting = await asyncio.gather(*(flights.join("k", compute) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in waiting] == [ValueError] * 3
    assert (await flights.join("k", compute))[0] == 7


async def test_other_keys_fly_apart() -> None:
    flights: Flights[str] = Flights()

    both = asyncio.Barrier(2)

    async def compute(value: str) -> str:
        await both.wait()
        return value

    one, two = await asyncio.gather(flights.join("1", lambda: compute("a")), flights.join("2", lambda: compute("b")))
    assert (one[0], two[0]) == ("a", "b")


async def test_a_flight_that_shutdown_cancels_has_ended_when_what_it_uses_is_closed() -> None:
    flights: Flights[int] = Flights()
    begun, ended = asyncio.Event(), []

    async def compute() -> int:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # as a transaction that is rolled back, or a connection that is given back
            ended.append("compute")
        return 1

    waiting = asyncio.create_task(flights.join("k", compute))
    await begun.wait()
    await flights.drain(0.01)
    assert ended == ["compute"]
    assert len(flights) == 0
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_who_takes_the_lock_of_a_key_works_alone_and_another_key_is_another_lock() -> None:
    locks = Locks()
    inside: list[str] = []

    async def work(key: str) -> None:
        async with locks.of(key):
            assert key not in inside
            inside.append(key)
            await asyncio.sleep(0)
            inside.remove(key)

    async with locks.of("other"):
        await asyncio.gather(*(work("k") for _ in range(20)))
    assert len(locks) == 0


@pytest.mark.parametrize("name", ["shield", "Lock"])
def test_there_is_one_module_of_flights_and_locks(name: str) -> None:
    """Tasks that several wait for, and asyncio's locks, are nowhere else."""
    found = {
        str(path.relative_to(ROOT))
        for folder in ("core", "api")
        for path in (ROOT / folder).rglob("*.py")
        if f"asyncio.{name}" in path.read_text()
        and any(
            isinstance(node, ast.Call) and ast.unparse(node.func) == f"asyncio.{name}"
            for node in ast.walk(ast.parse(path.read_text()))
        )
    }
    assert found == {"core/cache/single_flight.py"}
