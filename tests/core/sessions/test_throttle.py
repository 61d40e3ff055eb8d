"""The throttle over real Redis, without the cost of hashing: who may try, who has to wait, what is forgotten when."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from limits import parse

from core.cache.keys import Keys
from core.cache.tiers.redis import RedisTier
from core.cache.tiers.seals import Seals
from core.errors import TooManyAttempts
from core.sessions.throttle import SharedCounts, Throttle, network_of, plain
from core.settings import Settings

DEFAULTS = Settings()
THERE = "203.0.113.7"


def throttle(redis: RedisTier, user: str = DEFAULTS.login_limit_user, address: str | None = None) -> Throttle:
    return Throttle(redis, parse(user), parse(address or DEFAULTS.login_limit_address))


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[RedisTier]:
    tier = RedisTier(settings.require_redis_url(), Keys(settings.cache_prefix), Seals(["a key of tests"]))
    yield tier
    await tier.close()


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[RedisTier]:
    """Another process's."""
    tier = RedisTier(settings.require_redis_url(), Keys(settings.cache_prefix), Seals(["a key of tests"]))
    yield tier
    await tier.close()


async def guess(
    on: Throttle, name: str = "ana", address: str = THERE, *, right: bool | None = False, device: str | None = None
) -> bool:
    """False where it was refused."""
    try:
        async with on.attempt(name, address, device) as tried:
            await asyncio.sleep(0)
            tried.right = right
    except TooManyAttempts:
        return False
    return True


async def guesses(
    on: Throttle, count: int, name: str = "ana", address: str = THERE, *, device: str | None = None
) -> int:
    """How many of so many wrong guesses were let through."""
    return sum([await guess(on, name, address, device=device) for _ in range(count)])


async def test_ten_wrong_guesses_of_a_name_are_let_through_from_wherever_they_come(redis: RedisTier) -> None:
    on = throttle(redis)
    assert sum([await guess(on, address=f"198.51.100.{number}") for number in range(15)]) == 10
    with pytest.raises(TooManyAttempts) as refused:
        async with on.attempt("ana", THERE):
            raise AssertionError("it was let through")
    assert 890 <= refused.value.retry_after <= 900
    assert await guess(on, "berta")


async def test_a_hundred_from_an_address_whatever_the_names(redis: RedisTier) -> None:
    on = throttle(redis)
    assert sum([await guess(on, f"name{number}") for number in range(120)]) == 100
    assert not await guess(on, "somebody", right=True)
    assert await guess(on, "somebody", "203.0.113.8", right=True)


async def test_a_machine_that_repeats_one_wrong_password_does_not_lock_its_hospital_out(redis: RedisTier) -> None:
    on = throttle(redis)
    assert await guesses(on, 500, "old_tablet") == 10
    assert await guesses(on, 9, "ana") == 9
    assert await guess(on, "ana", right=True)


async def test_a_success_forgives_the_name_and_not_the_address(redis: RedisTier) -> None:
    on = throttle(redis, "3/minute", "5/minute")
    assert await guesses(on, 2) == 2
    assert await guess(on, right=True)
    assert await guesses(on, 2) == 2
    # Four failures from there so far, of five.
    assert await guess(on, "berta", right=True)
    assert await guess(on, "berta")
    assert not await guess(on, "berta", right=True)
    assert await guess(on, "ana", "203.0.113.8", right=True)


async def test_what_nobody_could_verify_counts_nothing(redis: RedisTier) -> None:
    on = throttle(redis)
    for _ in range(20):
        assert await guess(on, right=None)
    for _ in range(20):
        with pytest.raises(OSError, match="away"):
            async with on.attempt("ana", THERE):
                raise OSError("the database is away")
    assert await guesses(on, 20) == 10


async def test_a_crowd_of_guesses_at_once_is_no_way_around_it(redis: RedisTier) -> None:
    on = throttle(redis)
    assert sum(await asyncio.gather(*(guess(on) for _ in range(200)))) == 10


async def test_a_crowd_that_is_right_is_let_through(redis: RedisTier) -> None:
    """A ward's screens after a power cut: one user, all at once."""
    on = throttle(redis)
    assert all(await asyncio.gather(*(guess(on, right=True) for _ in range(50))))


async def test_processes_count_together_and_forgive_together(redis: RedisTier, other: RedisTier) -> None:
    here, there = throttle(redis), throttle(other)
    assert sum([await guess(on) for _ in range(3) for on in (here, there)]) == 6
    assert await guess(there, right=True)
    assert sum([await guess(on) for _ in range(10) for on in (here, there)]) == 10


async def test_the_window_ends(redis: RedisTier) -> None:
    on = throttle(redis, "2/second", "100/second")
    assert await guesses(on, 4) == 2
    # Redis's own clock ends the window.
    await asyncio.sleep(1.1)
    assert await guesses(on, 4) == 2


async def test_without_redis_each_process_counts_on(redis: RedisTier, other: RedisTier) -> None:
    here, there = throttle(redis), throttle(other)
    assert await guesses(here, 4) == 4
    assert await guesses(there, 1) == 1
    redis.breaker.is_open = other.breaker.is_open = True
    # Both go on from what they knew last: 4 and 5.
    assert await guesses(here, 20) == 6
    assert await guesses(there, 20) == 5
    assert not await guess(here, right=True)
    redis.breaker.close()
    other.breaker.close()
    assert not await guess(here, right=True)
    assert not await guess(there, right=True)


async def test_what_was_counted_without_redis_is_told_when_it_is_back(redis: RedisTier, other: RedisTier) -> None:
    here, there = throttle(redis), throttle(other)
    redis.breaker.is_open = True
    assert await guesses(here, 6) == 6
    redis.breaker.close()
    assert await guesses(here, 1) == 1
    assert await guesses(there, 20) == 3


@pytest.mark.parametrize("left", ["nothing", "garbage"])
async def test_a_redis_that_loses_its_data_forgives_nothing(redis: RedisTier, other: RedisTier, left: str) -> None:
    here, there = throttle(redis), throttle(other)
    assert await guesses(here, 8) == 8
    for key in await redis.client.keys(redis.keys.plain("throttle:*")):
        await (redis.client.delete(key) if left == "nothing" else redis.client.set(key, b"th1 garbage"))
    assert await guesses(here, 1) == 1
    assert await guesses(there, 20) == 1
    assert not await guess(here, right=True)
    assert redis.errors == 0


async def keys_of(redis: RedisTier) -> list[bytes]:
    return list(await redis.client.keys(redis.keys.plain("throttle:*")))


@pytest.mark.parametrize("forged", [b"999999999", b"11", b"11 " + b"ab" * 52, b"99999999999999999999", b"-1", b"1e9"])
@pytest.mark.parametrize("lasts", [None, 10**9])
async def test_what_somebody_else_puts_into_redis_locks_nobody_out_for_ever(
    redis: RedisTier, other: RedisTier, forged: bytes, lasts: int | None
) -> None:
    here, there = throttle(redis), throttle(other)
    assert await guess(here)
    for key in await keys_of(redis):
        await redis.client.set(key, forged, ex=lasts)
    for each in (here, there):
        assert await guess(each)
    for key in await keys_of(redis):
        assert 0 < await redis.client.pttl(key) <= 900_000
    assert await guesses(here, 20) + await guesses(there, 20) <= 10 + 8


@pytest.mark.parametrize("forged", [b"0", b"1", b"0 " + b"ab" * 52, b"0 x"])
async def test_what_somebody_else_puts_into_redis_has_nobody_forgiven(redis: RedisTier, forged: bytes) -> None:
    here, let_through = throttle(redis), 0
    for _ in range(20):
        let_through += await guess(here)
        for key in await keys_of(redis):
            await redis.client.set(key, forged, ex=900)
    assert let_through == 10


async def test_what_redis_held_before_is_put_back_and_has_nobody_forgiven_again(
    redis: RedisTier, other: RedisTier
) -> None:
    """By whoever kept it, or by Redis itself, which comes back with the data of an older snapshot."""
    here, there = throttle(redis), throttle(other)
    assert await guesses(here, 3) == 3
    assert await guess(there, right=True)
    assert await guess(here)  # it has heard that the others are forgiven
    kept = {key: await redis.client.get(key) for key in await keys_of(redis)}
    let_through = 0
    for _ in range(20):
        let_through += await guess(here)
        for key, value in kept.items():
            await redis.client.set(key, value, ex=900)
    assert let_through == 9
    assert await here.unlock("ana")
    assert await guess(there)
    assert await guesses(here, 20) == 9


async def test_keys_in_redis_name_nobody_and_end_by_themselves(redis: RedisTier) -> None:
    await guess(throttle(redis))
    keys = await redis.client.keys(redis.keys.plain("*"))
    assert len(keys) == 2
    for key in keys:
        assert b"ana" not in key
        assert b"203" not in key
        assert 0 < await redis.client.pttl(key) <= 900_000


async def test_memory_is_bounded(redis: RedisTier) -> None:
    counts = SharedCounts(redis, 60, bound=100)
    for number in range(300):
        await counts.incr(f"name{number}", 60)
    assert await counts.reset() == 100


async def test_a_known_device_is_not_held_up_by_its_address_and_has_ten_tries_of_its_own(redis: RedisTier) -> None:
    on = throttle(redis, "10/minute", "5/minute")
    assert sum([await guess(on, f"name {number}") for number in range(20)]) == 5
    assert not await guess(on, "id 1")
    assert await guess(on, "id 1", device="a")
    # Its failures are the user's too, wherever the next one comes from.
    assert await guesses(on, 20, "id 1", device="a") == 9
    assert not await guess(on, "id 1", "203.0.113.8")
    assert await guess(on, "id 2", device="a", right=True)


async def test_a_stolen_device_gains_nothing_by_its_owner_who_signs_in_elsewhere(redis: RedisTier) -> None:
    on = throttle(redis)
    taken = 0
    for _ in range(5):
        taken += await guesses(on, 4, "id 1", device="stolen")
        assert await guess(on, "id 1", "203.0.113.8", right=True)
    assert taken == 10
    assert await guess(on, "id 1", "203.0.113.8", right=True, device="own")


async def test_a_device_whose_user_is_right_begins_anew(redis: RedisTier) -> None:
    on = throttle(redis)
    for _ in range(3):
        assert await guesses(on, 9, "id 1", device="a") == 9
        assert await guess(on, "id 1", device="a", right=True)


async def test_an_unlocked_user_and_address_may_try_again_in_every_process(redis: RedisTier, other: RedisTier) -> None:
    here, there = throttle(redis, "2/minute", "4/minute"), throttle(other, "2/minute", "4/minute")
    assert await guesses(here, 5, "id 1") == 2
    assert await there.unlock("id 1")
    assert await guesses(here, 5, "id 1") == 2
    # That was the address's fourth.
    assert not await guess(here, "id 2")
    assert await there.unlock_address(THERE)
    assert await guess(here, "id 2")
    other.breaker.is_open = True
    assert not await there.unlock("id 1")


@pytest.mark.parametrize("spelling", ["ANA", "Ana", "ána", "ａｎａ"])
def test_spellings_that_may_be_one_user_are_one_name(spelling: str) -> None:
    assert plain(spelling) == "ana"


@pytest.mark.parametrize("letter", ["İ", "\u212a", "\u212b"])
def test_letters_whose_lower_case_is_an_ordinary_letter_are_no_way_around_it(letter: str) -> None:
    assert plain(f"adm{letter}n") in ("admin", "admkn", "adman")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str | None, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("value", ["0/minute", "ten", "1/minute; 5/hour", "10/fortnight"])
def test_a_limit_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="login_limit_user"):
        Settings(login_limit_user=value)
