"""Whoever can write to Redis can slow the service down, and do nothing else: every key that it reads, times every way
of putting something else there."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from core.cache.keys import digest
from core.cache.policy import EntryId
from core.cache.stats.published import PublishedStats
from core.cache.tiers.last_good import NO_PARAMETERS
from core.cache.tiers.newest import STAMP
from core.cache.tiers.seals import Seals
from core.dashboard.cached import CLINIC
from core.settings import Settings
from core.telemetry.log import FIRST
from tests.conftest import SignIn, running
from tests.factories.fixtures import Seed
from tests.support.cache.cached_reads import POLICY, process
from tests.support.cache.settled import settled
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]

pytestmark = pytest.mark.long

PATHS = (
    *("/v1/dashboard", "/v1/clinics", "/v1/specialties", "/v1/surgeries", "/v1/doctors"),
    *("/v1/reasons", "/v1/urgency-thresholds", "/v1/discharge-blocks"),
)
Values = dict[bytes, bytes]
Tamper = Callable[[Any, Values], Awaitable[None]]


def of_each(change: Callable[[bytes, bytes], bytes]) -> Tamper:
    """With what `change` makes of the key and its value."""

    async def tamper(client: Any, values: Values) -> None:
        for key, value in values.items():
            await client.set(key, change(key, value), keepttl=True)

    return tamper


def moved(places: int) -> Tamper:
    """Each key gets the value of another one of its kind: rightly made, and not for it."""

    async def tamper(client: Any, values: Values) -> None:
        kinds: dict[bytes, list[bytes]] = {}
        for key in sorted(values):
            kinds.setdefault(kind_of(key), []).append(key)
        for keys in kinds.values():
            for number, key in enumerate(keys):
                other = keys[(number + places) % len(keys)]
                await client.set(key, values[other] if other != key else b"", keepttl=True)

    return tamper


def as_a(name: str) -> Tamper:
    async def tamper(client: Any, values: Values) -> None:
        ways: dict[str, Callable[[bytes], Awaitable[object]]] = {
            "list": lambda key: client.rpush(key, "a"),
            "hash": lambda key: client.hset(key, "a", "b"),
            "set": lambda key: client.sadd(key, "a"),
            "zset": lambda key: client.zadd(key, {"a": 1}),
            "stream": lambda key: client.xadd(key, {"a": "b"}),
        }
        for key in values:
            await client.delete(key)
            await ways[name](key)

    return tamper


def kind_of(key: bytes) -> bytes:
    parts = key.split(b":")
    return parts[-1] if parts[-1] in (b"session", b"seen") else parts[3] if len(parts) > 3 else b""


def flipped(key: bytes, value: bytes) -> bytes:
    changed = bytearray(value)
    place = random.Random(key).randrange(len(value))
    changed[place] ^= 1 << random.Random(value).randrange(8)
    return bytes(changed)


def of_another_installation(key: bytes, value: bytes) -> bytes:
    """All else right: sealed for this very key, by somebody's own key."""
    foreign = Seals(["somebody's own key of forty characters..."])
    if value[:STAMP].isascii() and value[:1].isdigit():
        return value[:STAMP] + foreign.seal(f"{key.decode()} {value[:STAMP].decode()}", value[STAMP + 20 :])
    return foreign.seal(key.decode(), value[20:])


TAMPERS: dict[str, Tamper] = {
    "another clinic's or user's": moved(1),
    "another one's of that kind": moved(2),
    "cut in half": of_each(lambda _, value: value[: len(value) // 2]),
    "one byte short": of_each(lambda _, value: value[:-1]),
    "one byte more": of_each(lambda _, value: value + b" "),
    "one bit flipped": of_each(flipped),
    "without its seal": of_each(lambda _, value: value[20:]),
    "of another installation": of_each(of_another_installation),
    "empty": of_each(lambda *_: b""),
    "garbage": of_each(lambda *_: b"th2 garbage"),
    "no text at all": of_each(lambda *_: bytes(range(256))),
    "huge": of_each(lambda _, value: value + b"x" * 1_000_000),
    **{f"a {name}": as_a(name) for name in ("list", "hash", "set", "zset", "stream")},
}


async def values_of(app: FastAPI, settings: Settings) -> Values:
    """All strings that the service has stored, once it has."""
    runtime = app.state.runtime
    await settled(runtime)
    client = runtime.redis.client
    found = {key: await client.get(key) async for key in client.scan_iter(f"{settings.cache_prefix}:*", _type="string")}
    return {key: value for key, value in found.items() if b":probe" not in key}


async def asked(clients: list[httpx.AsyncClient]) -> list[httpx.Response]:
    return [await client.get(path) for client in clients for path in PATHS]


def elsewhere(client: httpx.AsyncClient, app: FastAPI) -> httpx.AsyncClient:
    """The same user at another process."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=client.base_url, headers=client.headers
    )


def tiers(answers: list[httpx.Response]) -> set[str]:
    return {"redis" if "detail=redis" in answer.headers["cache-status"] else "elsewhere" for answer in answers}


@pytest.mark.parametrize("how", TAMPERS)
async def test_what_was_tampered_with_is_a_miss_and_nothing_else(
    app: FastAPI, settings: Settings, seed: Seed, sign_in: SignIn, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    clients = [await sign_in(name) for name in (seed.sant.admin, seed.maga.admin, seed.superuser)]
    right = await asked(clients)
    assert {answer.status_code for answer in right} == {200}
    values = await values_of(app, settings)
    assert {b"session", b"seen", b"dashboard", b"doctors", b"last"} <= {kind_of(key) for key in values}
    capsys.readouterr()
    async with running(settings) as (other, _):
        await TAMPERS[how](app.state.runtime.redis.client, values)
        answers = await asked([elsewhere(client, other) for client in clients])
        assert [answer.status_code for answer in answers] == [200] * len(answers)
        assert [answer.headers["etag"] for answer in answers] == [answer.headers["etag"] for answer in right]
        assert tiers(answers) == {"elsewhere"}
        redis = other.state.runtime.redis
        assert not redis.breaker.is_open
        assert redis.foreign + redis.errors > 0 or how.startswith("a ")
        counts = other.state.runtime.cache.stats.counts
        assert counts["session", "hit", "redis"] == 0
        for clinic_id in (seed.sant.id, seed.maga.id):
            found = await other.state.runtime.cache.tiers.last_good.find(EntryId(CLINIC, clinic_id, NO_PARAMETERS))
            assert found is None or found[1] == "memory"
        figures = await elsewhere(clients[2], other).get("/v1/admin/cache")
        assert figures.status_code == 200
        # What was put there is gone by now, or over: a third process hits again.
        await other.state.runtime.cache.drain(5)
        async with running(settings) as (third, _):
            answers = await asked([elsewhere(client, third) for client in clients])
            assert tiers(answers) == {"redis"}
    events = [line for line in capsys.readouterr().out.splitlines() if '"event":"request"' not in line]
    assert len(events) <= 3 * 4 * FIRST


async def test_what_an_old_key_sealed_is_a_hit_and_what_a_dropped_one_sealed_is_not(
    app: FastAPI, settings: Settings, seed: Seed, sign_in: SignIn
) -> None:
    clients = [await sign_in(name) for name in (seed.sant.admin, seed.superuser)]
    await asked(clients)
    await values_of(app, settings)
    new = SecretStr("a-new-secret-of-forty-characters-or-more!")
    async with running(settings.model_copy(update={"secret_keys": (new, *settings.secret_keys)})) as (other, _):
        assert tiers(await asked([elsewhere(client, other) for client in clients])) == {"redis"}
        assert other.state.runtime.redis.foreign == 0
    async with running(settings.model_copy(update={"secret_keys": (new,)})) as (other, _):
        clients = [await sign_in(name, on=other) for name in (seed.sant.admin, seed.superuser)]
        assert tiers(await asked(clients)) == {"elsewhere"}


@pytest.mark.parametrize("how", [name for name in TAMPERS if name not in ("another clinic's or user's", "huge")])
async def test_a_forged_lease_holds_up_nobody(settings: Settings, seed: Seed, how: str) -> None:
    async with process(settings) as one:
        runtime = one.runtime
        policy = POLICY
        await one.read(seed.sant.id)
        await runtime.cache.drain(5)
        key = runtime.cache.tiers.key(
            EntryId(policy, seed.sant.id, digest({})), policy.token_now(runtime.versions, seed.sant.id)
        )
        lease = runtime.redis.keys.lease(key).encode()
        await runtime.redis.client.delete(key)
        runtime.cache.memory.clear()
        await TAMPERS[how](runtime.redis.client, {lease: runtime.redis.seals.seal("another", b"lease" * 4)})
        answer = await one.read(seed.sant.id)
        assert (answer.outcome, answer.tier) == ("miss", "database")
        await runtime.cache.drain(5)
        # Taken over, and given back: who had lost patience would have computed beside it and left it there.
        assert not await runtime.redis.client.exists(lease)


@pytest.mark.parametrize("how", TAMPERS)
async def test_statistics_that_others_wrote_are_not_summed(settings: Settings, seed: Seed, how: str) -> None:
    async with process(settings) as one, process(settings) as other, process(settings) as third:
        processes: list[PublishedStats] = [each.runtime.published for each in (one, other, third)]
        for each in processes:
            await each.publish_once()
        client = one.runtime.redis.client
        keys = [processes[0]._key(each.id).encode() for each in processes[1:]]
        await TAMPERS[how](client, {key: await client.get(key) for key in keys})
        sums = await processes[0].sums()
        assert (sums.processes, sums.complete) == (1, False)
        await client.delete(processes[0]._register)
        await client.zadd(processes[0]._register, {b"\xff\xfe": 1e12, "nobody": 1e12})
        assert not (await processes[0].sums()).complete
