"""Idle after 60 minutes without a request to any process, over after 12 hours; on the database's clock."""

import asyncio

import pytest

from core.errors import NotAuthenticated, Unavailable
from core.sessions.last_seen import SEEN
from core.settings import Settings
from tests.core.sessions.processes import Process, process
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.cache.settled import settled
from tests.support.machine import until

HOUR = 3600


async def seen_in(connection: rows.Connection) -> float:
    return float(await connection.fetchval("SELECT extract(epoch FROM last_seen_at)::float8 FROM user_session"))


async def test_an_hour_without_a_request_ends_a_session(one: Process, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    await settled(one.runtime)
    one.clock(HOUR - 5)
    await one.who(token, slide=False)
    # Half a minute more: so late may the time be that processes share.
    one.clock(HOUR + 31)
    with pytest.raises(NotAuthenticated, match="not used for too long"):
        await one.who(token)


async def test_requests_keep_a_session_for_twelve_hours_and_no_longer(
    one: Process, connection: rows.Connection, seed: Seed
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    for minutes in range(0, 12 * 60, 55):
        one.clock(minutes * 60)
        await one.who(token)
    one.clock(12 * HOUR + 1)
    with pytest.raises(NotAuthenticated):
        await one.who(token)


async def test_a_display_has_no_idle_limit_and_ends_after_thirty_days(one: Process, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer, "display")).token
    assert (await one.who(token)).idle_seconds is None
    one.clock(29 * 24 * HOUR)
    await one.who(token)
    one.clock(30 * 24 * HOUR + 1)
    with pytest.raises(NotAuthenticated):
        await one.who(token)


async def test_a_request_to_another_process_counts(one: Process, other: Process, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    other.clock(50 * 60)
    await other.who(token)
    await settled(other.runtime)
    one.clock(100 * 60)
    await one.who(token)


async def test_what_does_not_slide_does_not_count(one: Process, other: Process, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    other.clock(50 * 60)
    await other.who(token, slide=False)
    await settled(other.runtime)
    one.clock(HOUR + 31)
    with pytest.raises(NotAuthenticated):
        await one.who(token)


async def test_when_redis_lost_it_postgresql_has_it_with_five_minutes_slack(
    one: Process, settings: Settings, connection: rows.Connection, seed: Seed
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    for late, still in ((HOUR + 290, True), (HOUR + 310, False)):
        async with process(settings) as fresh:
            await fresh.runtime.redis.client.flushdb()
            await connection.execute("UPDATE user_session SET last_seen_at = now()")
            fresh.clock(late)
            if still:
                await fresh.who(token, slide=False)
            else:
                with pytest.raises(NotAuthenticated):
                    await fresh.who(token, slide=False)


async def test_an_old_time_in_redis_does_not_refuse_who_postgresql_saw_since(
    one: Process, connection: rows.Connection, seed: Seed
) -> None:
    """Redis restarted with the data of half an hour ago."""
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    await settled(one.runtime)
    await connection.execute("UPDATE user_session SET last_seen_at = now() + interval '30 minutes'")
    one.clock(HOUR + 30 * 60 + 200)
    await one.who(token)


async def test_redis_is_written_each_half_minute_and_postgresql_each_five(
    one: Process, connection: rows.Connection, seed: Seed
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    digest = one.runtime.sessions.tokens.digest(token)
    assert digest is not None
    key = one.runtime.redis.keys.session(digest, SEEN)
    redis = one.runtime.redis

    async def used_at(seconds: float) -> float:
        """What Redis says after a request so many seconds from now, relative to the first."""
        one.clock(seconds)
        await one.who(token)
        await settled(one.runtime)
        return float(await redis.get(key) or 0) - start

    began = machine.now()

    def late() -> float:
        return machine.bound(2.0, began)

    start = one.runtime.versions.now()
    signed_in = await seen_in(connection)
    assert await used_at(0) == pytest.approx(0, abs=late())
    assert await used_at(25) == pytest.approx(0, abs=late())
    assert await used_at(35) == pytest.approx(35, abs=late())
    assert await used_at(295) == pytest.approx(295, abs=late())
    assert one.runtime.sessions._seen._flushing is None
    assert await seen_in(connection) == signed_in
    await used_at(305)

    async def is_kept() -> bool:
        return await seen_in(connection) == pytest.approx(start + 305, abs=late())

    await until(is_kept)


async def test_many_last_uses_are_one_statement(one: Process, connection: rows.Connection, seed: Seed) -> None:
    tokens = [(await one.sign_in(seed.sant.viewer)).token for _ in range(5)]
    for token in tokens:
        await one.who(token)
    one.clock(400)
    for token in tokens:
        await one.who(token)
    await one.runtime.sessions.close(2)
    late = "SELECT count(*) FROM user_session WHERE last_seen_at > now() + interval '5 minutes'"
    assert await connection.fetchval(late) == 5
    transactions = "SELECT count(DISTINCT xmin::text) FROM user_session"
    assert await connection.fetchval(transactions) == 1


async def test_last_seen_never_goes_back(one: Process, connection: rows.Connection, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await connection.execute("UPDATE user_session SET last_seen_at = now() + interval '1 hour'")
    later = await seen_in(connection)
    digest = one.runtime.sessions.tokens.digest(token)
    assert digest is not None
    one.runtime.sessions._seen._pending[digest] = one.runtime.versions.now()
    await one.runtime.sessions._seen._flush()
    assert await seen_in(connection) == later


@pytest.mark.parametrize("garbage", [b"", b"soon", b"nan", b"inf", b"-inf"])
async def test_garbage_in_place_of_last_seen_is_as_if_it_were_lost(one: Process, seed: Seed, garbage: bytes) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    await settled(one.runtime)
    digest = one.runtime.sessions.tokens.digest(token)
    assert digest is not None
    await one.runtime.redis.client.set(one.runtime.redis.keys.session(digest, SEEN), garbage)
    one.clock(HOUR + 200)
    await one.who(token, slide=False)
    one.clock(HOUR + 400)
    with pytest.raises(NotAuthenticated):
        await one.who(token, slide=False)


@pytest.mark.long
async def test_a_small_idle_limit_is_kept_to(settings: Settings, seed: Seed) -> None:
    async with process(settings.model_copy(update={"session_idle_seconds": 2})) as made:
        token = (await made.sign_in(seed.sant.viewer)).token
        for _ in range(3):
            # In use, by the servers' clocks.
            await asyncio.sleep(1)
            await made.who(token)
        # The idle limit passes, by the servers' clocks.
        await asyncio.sleep(2.3)
        with pytest.raises(NotAuthenticated):
            await made.who(token)


async def test_idle_by_what_is_known_here_and_nobody_to_ask_is_unavailable(
    one: Process, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    await settled(one.runtime)

    async def away(*_: object, **__: object) -> None:
        raise Unavailable

    one.clock(HOUR + 31)
    monkeypatch.setattr(one.runtime.database, "read", away)
    with pytest.raises(Unavailable):
        await one.who(token)
