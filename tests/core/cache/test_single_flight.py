import asyncio

import pytest

from core.cache.single_flight import Flights, Locks


async def test_all_who_ask_while_it_flies_share_one_flight() -> None:
    flights: Flights[int] = Flights()
    runs = 0

    async def compute() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.02)
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
        await asyncio.sleep(0.01)
        error = outcomes.pop(0)
        if error:
            raise error
        return 7

    waiting = await asyncio.gather(*(flights.join("k", compute) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in waiting] == [ValueError] * 3
    assert (await flights.join("k", compute))[0] == 7


async def test_other_keys_fly_apart() -> None:
    flights: Flights[str] = Flights()

    async def compute(value: str) -> str:
        await asyncio.sleep(0.01)
        return value

    one, two = await asyncio.gather(flights.join("1", lambda: compute("a")), flights.join("2", lambda: compute("b")))
    assert (one[0], two[0]) == ("a", "b")


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
