"""The key set: asked for when it must be, and no more; what is wrong with its server never takes a good set away."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from core import times
from core.clock import boottime
from core.errors import Unavailable
from core.users.iap import keys as module
from core.users.iap.keys import LARGEST, LIFE, PAUSE, SigningKeys
from tests.support.iap import KeyServer, Signer, key_server

ONE, TWO = Signer("one"), Signer("two")


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server(ONE) as served:
        yield served


@pytest.fixture
async def keys(server: KeyServer) -> AsyncIterator[SigningKeys]:
    made = SigningKeys(server.url)
    yield made
    await made.close(1)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`later(60)`: from now on it is a minute later than before."""
    passed = 0.0

    def pass_by(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        monkeypatch.setattr(module, "boottime", lambda: boottime() + passed)

    return pass_by


async def has(keys: SigningKeys, signer: Signer) -> bool:
    found = await keys.key(signer.key_id)
    return found is not None and found.key.public_numbers() == signer.key.public_key().public_numbers()


async def test_a_set_is_fetched_once_an_hour(keys: SigningKeys, server: KeyServer, later: Any) -> None:
    assert server.asked == 0
    for _ in range(3):
        assert await has(keys, ONE)
    assert server.asked == 1
    later(LIFE + 1)
    assert await has(keys, ONE)
    assert server.asked == 2


async def test_a_key_that_is_new_is_found_and_one_that_was_withdrawn_is_gone(
    keys: SigningKeys, server: KeyServer, later: Any
) -> None:
    assert await has(keys, ONE)
    server.publishes(TWO)
    later(PAUSE + 1)
    assert await has(keys, TWO)
    assert await keys.key(ONE.key_id) is None
    assert server.asked == 2


async def test_a_crowd_of_key_ids_made_up_fetches_the_set_once(
    keys: SigningKeys, server: KeyServer, later: Any
) -> None:
    for asked in (1, 2):
        found = await asyncio.gather(*(keys.key(f"made-up-{number}") for number in range(50)))
        assert found == [None] * 50
        assert server.asked == asked
        later(PAUSE + 1)


def trickle() -> Iterator[bytes]:
    while True:
        time.sleep(0.02)
        yield b" "


def flood() -> Iterator[bytes]:
    while True:
        yield b" " * 8192


POINT = ONE.jwk | {"y": ONE.jwk["x"]}
P384 = Signer("one", ec.generate_private_key(ec.SECP384R1()))
RSA = {"kty": "RSA", "kid": "one", "n": "0vx7", "e": "AQAB", "alg": "RS256"}
WRONG: dict[str, Any] = {
    "not JSON": b"<html>sign in to the hospital's network</html>",
    "nothing": b"",
    "an array": [ONE.jwk],
    "no keys": {},
    "an empty set": {"keys": []},
    "a set that is none": {"keys": {"one": ONE.jwk}},
    "Google's other form": {"one": "-----BEGIN PUBLIC KEY-----"},
    "keys that are none": {"keys": [None, 1, "one", [], {}]},
    "another curve": {"keys": [P384.jwk]},
    "another curve that says it is ours": {"keys": [P384.jwk | {"crv": "P-256"}]},
    "a point of no curve": {"keys": [POINT]},
    "half a point": {"keys": [{name: value for name, value in ONE.jwk.items() if name != "y"}]},
    "no base64": {"keys": [ONE.jwk | {"x": "*"}]},
    "numbers": {"keys": [ONE.jwk | {"x": 1, "y": 2}]},
    "no id": {"keys": [{name: value for name, value in ONE.jwk.items() if name != "kid"}]},
    "an id that is none": {"keys": [ONE.jwk | {"kid": ["one"]}]},
    "for encryption": {"keys": [ONE.jwk | {"use": "enc"}]},
    "for another algorithm": {"keys": [ONE.jwk | {"alg": "ES384"}]},
    "RSA": {"keys": [RSA]},
    "a secret": {"keys": [{"kty": "oct", "kid": "one", "k": "c2VjcmV0", "alg": "HS256"}]},
    "packed": gzip.compress(json.dumps({"keys": [ONE.jwk]}).encode()),
    "deep": b'{"keys":' + b"[" * 30_000,
    "too large": b'{"keys": []}' + b" " * LARGEST,
    "not UTF-8": b'{"keys": ["\xff"]}',
}


def break_server(server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Breaks it in each way, one after the other, and says how."""
    monkeypatch.setattr(times, "KEY_SET", 30)
    for how, body in WRONG.items():
        server.says(body)
        yield how
    for status in (204, 304, 400, 404, 500, 503):
        server.says({"keys": [TWO.jwk]}, status)
        yield str(status)
    server.answer = lambda: (200, {}, flood())
    yield "a flood"
    with monkeypatch.context() as briefly:
        briefly.setattr(times, "KEY_SET", 0.2)
        server.answer = lambda: (200, {}, trickle())
        yield "a trickle"
    server.answer = lambda: (200, {"Content-Length": "900"}, iter([b'{"keys"']))
    yield "cut off"


async def test_whatever_the_server_says_the_last_good_set_is_kept(
    keys: SigningKeys, server: KeyServer, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await has(keys, ONE)
    for how in break_server(server, monkeypatch):
        before = server.asked
        later(30 * 86400)
        assert await has(keys, ONE), how
        assert server.asked == before + 1, how
        with pytest.raises(Unavailable):
            await keys.key(TWO.key_id)
    server.publishes(TWO)
    later(PAUSE + 1)
    assert await has(keys, TWO)


async def test_without_a_good_set_nobody_can_say(
    server: KeyServer, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = SigningKeys(server.url)
    for asked, how in enumerate(break_server(server, monkeypatch)):
        with pytest.raises(Unavailable):
            await keys.key(ONE.key_id)
        assert server.asked == asked + 1, how
        later(PAUSE + 1)
    server.publishes(ONE)
    assert await has(keys, ONE)
    await keys.close(1)


async def test_a_server_that_is_away_is_not_asked_again_at_once(later: Any) -> None:
    with key_server(ONE) as served:
        keys = SigningKeys(served.url)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await keys.key(ONE.key_id)
    later(PAUSE + 1)
    with pytest.raises(Unavailable):
        await keys.key(ONE.key_id)
    await keys.close(1)


async def test_keys_are_those_of_the_address_that_was_configured(
    keys: SigningKeys, server: KeyServer, later: Any
) -> None:
    with key_server(ONE) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            server.says(b"", status, Location=elsewhere.url)
            with pytest.raises(Unavailable):
                await keys.key(ONE.key_id)
            later(PAUSE + 1)
        assert (server.asked, elsewhere.asked) == (5, 0)


async def test_of_a_set_with_other_keys_too_ours_are_used(keys: SigningKeys, server: KeyServer) -> None:
    server.says(
        {"keys": [RSA, None, P384.jwk, ONE.jwk, TWO.jwk, {"kty": "OKP", "crv": "Ed25519", "kid": "x", "x": "x"}]}
    )
    assert await has(keys, ONE)
    assert await has(keys, TWO)


async def test_who_leaves_while_the_set_is_fetched_takes_it_from_nobody(keys: SigningKeys, server: KeyServer) -> None:
    leaving, staying = asyncio.create_task(has(keys, ONE)), asyncio.create_task(has(keys, ONE))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying
    assert server.asked == 1
