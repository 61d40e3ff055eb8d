import asyncio
import time
from collections.abc import Iterator
from statistics import median

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from core.errors import Invalid, Unavailable
from core.users.password_rules import COMMON, SHORTEST, check_new_password
from core.users.passwords import WAITING, Passwords, hash_password, verify_password

HASHES = 4


@pytest.fixture
def hashes() -> None:
    """At their full cost."""


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


def test_a_hash_is_argon2id_and_salted() -> None:
    first, second = hash_password("a password of mine"), hash_password("a password of mine")
    assert extract_parameters(first).type is Type.ID
    assert first != second


def test_the_right_password_is_right_and_keeps_its_hash() -> None:
    stored = hash_password("a password of mine")
    assert verify_password(stored, "a password of mine") == (True, None)
    assert verify_password(stored, "a password of mine ") == (False, None)
    assert verify_password(stored, "") == (False, None)


def test_it_does_not_matter_how_a_keyboard_composes_its_accents() -> None:
    assert verify_password(hash_password("cig\u00fce\u00f1a en el tejado"), "cigu\u0308en\u0303a en el tejado").right


def test_a_hash_of_other_parameters_is_renewed_when_the_password_is_right() -> None:
    stored = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("a password of mine")
    assert verify_password(stored, "wrong").renewed is None
    renewed = verify_password(stored, "a password of mine").renewed
    assert renewed is not None
    assert verify_password(renewed, "a password of mine") == (True, None)


@pytest.mark.parametrize("stored", [None, "", "!", "plain", "$argon2id$v=19$nonsense", "scrypt:32768:8:1$x$y"])
def test_what_is_no_hash_is_never_right(stored: str | None) -> None:
    assert verify_password(stored, stored or "x") == (False, None)


def test_text_that_is_no_text_is_only_wrong() -> None:
    assert not verify_password(hash_password("x"), "\ud800").right


@pytest.mark.long
async def test_an_unknown_user_costs_what_a_known_one_does(passwords: Passwords) -> None:
    stored = hash_password("a password of mine")

    async def seconds(asked: str | None) -> float:
        started = time.perf_counter()
        await passwords.verify(asked, "wrong")
        return time.perf_counter() - started

    await seconds(None)
    known, unknown = [], []
    for _ in range(9):
        known.append(await seconds(stored))
        unknown.append(await seconds(None))
    # The least: whatever else the machine does only adds.
    assert 0.5 < min(unknown) / min(known) < 2


async def test_hashing_does_not_hold_up_the_event_loop(passwords: Passwords) -> None:
    """Most of the time that one hash takes is another's: in the loop itself each turn would be as long as a hash."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    hashing = asyncio.gather(*(passwords.hash("a password of mine") for _ in range(HASHES)))
    late = []
    while not hashing.done():
        due = loop.time() + 0.005
        await asyncio.sleep(0.005)
        late.append(loop.time() - due)
    await hashing
    assert median(late) < (loop.time() - started) / HASHES / 2


async def test_a_flood_is_refused_before_it_waits(passwords: Passwords) -> None:
    waiting = [asyncio.create_task(passwords.verify(None, "x")) for _ in range(WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await passwords.verify(None, "x")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await passwords.verify(None, "x")


def test_what_is_listed_as_common_can_be_met() -> None:
    for word in COMMON:
        # Shorter ones are refused for that, and capitals are folded before they are compared.
        assert len(word) >= SHORTEST, word
        assert word == word.casefold(), word


def test_a_long_own_password_is_taken() -> None:
    for good in ("four words of my own", "cigüeña-tejado-lluvia", "x7#kQ9!mZ2pL", "correct horse battery staple"):
        check_new_password(good, username="clinical_sant", email="clinical_sant@example.org")
    with pytest.raises(Invalid):
        check_new_password("y" * 2000, username="x", email="x@example.org")
