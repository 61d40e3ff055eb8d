import asyncio
import time
from collections.abc import Iterator
from statistics import median

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from core.errors import Invalid, Unavailable
from core.users.passwords.hashing import WAITING, Passwords, hash_password, verify_password
from core.users.passwords.rules import check_new_password, guesses

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
@pytest.mark.alone
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


@pytest.mark.alone
async def test_hashing_does_not_hold_up_the_event_loop(passwords: Passwords) -> None:
    """Most of the time that one hash takes is another's: in the loop itself each turn would be as long as a hash."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    hashing = asyncio.gather(*(passwords.hash("a password of mine") for _ in range(HASHES)))
    late = []
    while not hashing.done():
        due = loop.time() + 0.005
        await asyncio.sleep(0.005)  # the loop's turns are measured
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


OWN = {"username": "clinical_sant", "email": "ana.rojas@example.org", "clinic": "Clínica RedSalud Santiago"}
GUESSED = [
    word
    for line in (
        "123456789012 098765432109 123123123123 147258369147 qwertyuiop12 qwerty123456 qwertyqwerty",
        "1qaz2wsx3edc 1q2w3e4r5t6y zaq12wsxcde3 abcdefghijkl a1b2c3d4e5f6 aabbccddeeff password1234",
        "passwordpassword Password123! P@ssw0rd1234 p@$$w0rd-2026 administrator administrador adminadminadmin",
        "changeme1234 welcome12345 letmein12345 iloveyouforever contraseña123 micontraseña Contraseña.2026",
        "clave1234567 miclave12345 holahola1234 bienvenidos1 chile1234567 vivachile123 colocolo1925",
        "universidad1 santiago1234 Santiago2026!! redsalud1234 redsalud2026! RedSalud2026 R3dS4lud2026",
        "clinicaredsalud clínicaredsalud clinica12345 hospital1234 enfermera123 Enfermera.2026 enfermería12",
        "tickethome12 ticket-home-1 ticket-home-demo TICKET-HOME-DEMO ticket.home.2026 Invierno2026!",
        "septiembre2026 aaaaaaaaaaaa 121212121212 aaaaaaaaaaab clinical_sant1 Clinical_Sant2026",
        "clinicalsant2026 tnas_lacinilc1 ana.rojas2026 AnaRojas1234 rojas.ana.2026 ana.rojas@example.org1",
    )
    for word in line.split()
]


@pytest.mark.parametrize("password", GUESSED)
def test_what_anybody_here_would_try_first_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_new_password(password, **OWN)
    assert [error.code for error in refused.value.errors] == ["too_common"]


@pytest.mark.parametrize("end", ["", "!", "1", "2026"])
@pytest.mark.parametrize("name", ["valentina.muñoz", "valentina.muñoz@hospital.cl", "Hospital del Trabajador"])
def test_the_user_s_own_words_are_guessed_first(name: str, end: str) -> None:
    own = {"username": "valentina.muñoz", "email": "valentina.muñoz@hospital.cl", "clinic": "Hospital del Trabajador"}
    for written in (name, name.upper(), name.replace("a", "4"), name.replace("ñ", "n"), name.replace(".", "")):
        with pytest.raises(Invalid):
            check_new_password(written + end, **own)


def test_an_estimate_takes_no_longer_for_what_was_made_to_be_slow() -> None:
    """Without a bound some of these take a hundred times as long as an ordinary one."""

    def took(password: str) -> float:
        """Seconds of a processor: what else the machine does is not in it."""
        started = time.thread_time()
        for _ in range(5):
            guesses(password, OWN.values())
        return time.thread_time() - started

    # The length that is looked at, of letters that stand for nothing else.
    ordinary = took("mi perro come pan con queso y toma leche")
    for slow in ("4@8({[<369&#!1/|0$5+7%2" * 3, "p4$$w0rd@8({[<369&#!1/|0$5+7%2aegiostxz", "a" * 1000, "ab1!" * 250):
        assert took(slow) < 100 * ordinary


def test_a_long_own_password_is_taken() -> None:
    for good in ("four words of my own", "cigüeña-tejado-lluvia", "x7#kQ9!mZ2pL", "correct horse battery staple"):
        check_new_password(good, **OWN)
    with pytest.raises(Invalid):
        check_new_password("y" * 2000, **OWN)
