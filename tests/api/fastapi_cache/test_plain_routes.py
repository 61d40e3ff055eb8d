"""The service's own routes with fastapi-cache2's plain `@cache`: on the wire they are as every other cached route."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi_cache import FastAPICache

from api.fastapi_cache.route import PlainCacheRoute, is_decorated
from api.v1.catalogs import threshold_routes
from api.v1.routers import ROUTERS
from core import times
from core.catalogs.thresholds import thresholds_in
from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine

THRESHOLDS = "/v1/urgency-thresholds"
BLOCKS = "/v1/discharge-blocks"
PATHS = (THRESHOLDS, BLOCKS)
HOURS = {"red_hours": 1, "yellow_hours": 3, "green_hours": 6}


def status(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.headers["cache-status"]


def test_each_of_them_is_of_the_route_class_that_writes_their_headers() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    decorated = [route for route in routes if is_decorated(route.endpoint)]
    assert {route.path for route in decorated} == set(PATHS)
    for route in decorated:
        assert isinstance(route, PlainCacheRoute)
        assert route.response_model is not None


@pytest.mark.parametrize("path", PATHS)
async def test_miss_hit_and_304_have_the_headers_of_every_cached_answer(
    sign_in: SignIn, seed: Seed, settings: Settings, path: str
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    miss = await viewer.get(path)
    assert status(miss) == "ticket-home; fwd=miss; stored"
    hit = await viewer.get(path)
    assert re.fullmatch(r"ticket-home; hit; ttl=\d+; detail=memory", status(hit))
    assert 'cache;desc="hit memory"' in hit.headers["server-timing"]
    async with running(settings) as (other, _):
        elsewhere = await (await sign_in(seed.sant.viewer, on=other)).get(path)
        assert "detail=redis" in status(elsewhere)
    for answer in (miss, hit, elsewhere):
        assert answer.content == miss.content
        assert re.fullmatch(r'W/"[0-9a-f]{24}"', answer.headers["etag"])
        assert answer.headers["etag"] == miss.headers["etag"]
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "Cookie, Authorization, Accept-Encoding, Origin"
        assert int(answer.headers["age"]) >= 0
        assert "x-fastapi-cache" not in answer.headers
    strong = miss.headers["etag"].removeprefix("W/")
    for held in (miss.headers["etag"], strong, f'"another", {strong}', "*"):
        unchanged = await viewer.get(path, headers={"If-None-Match": held})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == miss.headers["etag"]
    assert status(await viewer.get(path, headers={"If-None-Match": '"another"'}))


@pytest.mark.parametrize("sent", ["no-cache", "no-store"])
async def test_a_client_cannot_have_it_computed_by_its_cache_control(sign_in: SignIn, seed: Seed, sent: str) -> None:
    viewer = await sign_in(seed.sant.viewer)
    await viewer.get(THRESHOLDS)
    assert "; hit;" in status(await viewer.get(THRESHOLDS, headers={"Cache-Control": sent}))


async def test_a_body_worth_it_is_compressed_for_whoever_takes_that(sign_in: SignIn, seed: Seed) -> None:
    viewer = await sign_in(seed.sant.viewer)
    for _ in range(2):
        packed = await viewer.get(BLOCKS, headers={"Accept-Encoding": "gzip"})
        plain = await viewer.get(BLOCKS, headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.content == plain.content


async def test_twenty_misses_at_once_are_computed_once(
    app: FastAPI, sign_in: SignIn, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, admin = await sign_in(seed.sant.viewer), await sign_in(seed.sant.admin)
    compute, runs = thresholds_in, 0

    async def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.05)  # so that all have come
        return await compute(*args, **kwargs)

    monkeypatch.setattr(threshold_routes, "thresholds_in", counted)
    answers = await asyncio.gather(*(client.get(THRESHOLDS) for client in (viewer, admin) for _ in range(10)))
    assert len({answer.content for answer in answers}) == 1
    assert runs == 1
    statuses = [status(answer) for answer in answers]
    assert statuses.count("ticket-home; fwd=miss; stored") == 1
    assert sum("; collapsed" in one for one in statuses) == len(answers) - 1
    counts = app.state.runtime.cache.stats.counts
    assert counts["thresholds", "miss", "database"] == 1
    assert counts["thresholds", "collapsed", "database"] == len(answers) - 1


async def test_who_waited_for_what_a_write_overtook_does_not_compute_it_once_more(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    versions, compute, runs = app.state.runtime.versions, thresholds_in, 0

    async def overtaken(*args: Any, **kwargs: Any) -> Any:
        nonlocal runs
        runs += 1
        before = versions.get(0, "catalogs")
        found = await compute(*args, **kwargs)
        if runs == 1:
            await connection.execute("UPDATE urgency_threshold SET red_hours = 1 WHERE clinic_id IS NULL")
            await machine.until(lambda: versions.get(0, "catalogs") > before)
        return found

    monkeypatch.setattr(threshold_routes, "thresholds_in", overtaken)
    answers = await asyncio.gather(*(viewer.get(THRESHOLDS) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert runs < len(answers) / 2
    [item] = (await viewer.get(THRESHOLDS)).json()["items"]
    assert item["red_hours"] == 1


async def test_who_waits_for_its_turn_until_its_time_is_up_computes_nothing(
    app: FastAPI, sign_in: SignIn, seed: Seed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`@cache` logs whatever a Backend raises, and computes."""
    viewer = await sign_in(seed.sant.viewer)
    begun, goes_on, runs = asyncio.Event(), asyncio.Event(), 0

    async def held_up(*args: Any, **kwargs: Any) -> Any:
        nonlocal runs
        runs += 1
        begun.set()
        await goes_on.wait()
        return await thresholds_in(*args, **kwargs)

    monkeypatch.setattr(threshold_routes, "thresholds_in", held_up)
    computing = asyncio.create_task(viewer.get(THRESHOLDS))
    await begun.wait()
    monkeypatch.setattr(times, "REQUEST", 0.1)
    assert (await viewer.get(THRESHOLDS)).status_code == 503
    goes_on.set()
    assert "fwd=miss" in status(await computing)
    assert runs == 1
    assert caplog.messages == []


async def test_an_error_is_nobody_elses(sign_in: SignIn, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    superuser = await sign_in(seed.superuser)
    compute, tries = thresholds_in, 0

    async def failing_once(*args: Any, **kwargs: Any) -> Any:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0.05)  # so that all have come
        if tries == 1:
            raise RuntimeError("a bug that shows once")
        return await compute(*args, **kwargs)

    monkeypatch.setattr(threshold_routes, "thresholds_in", failing_once)
    answers = await asyncio.gather(*(superuser.get(THRESHOLDS) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 500]
    assert tries == 2
    assert "; hit;" in status(await superuser.get(THRESHOLDS))


async def test_a_write_in_another_process_is_in_the_next_answer_of_whoever_made_it(
    sign_in: SignIn, seed: Seed, settings: Settings
) -> None:
    here = await sign_in(seed.sant.admin)
    await here.get(THRESHOLDS)
    async with running(settings) as (other, _):
        there = await sign_in(seed.sant.admin, on=other)
        for red in (2, 1):
            written = await there.put(THRESHOLDS, json=HOURS | {"red_hours": red})
            own = {"Cache-Version": written.headers["cache-version"]}
            [item] = (await here.get(THRESHOLDS, headers=own)).json()["items"]
            assert (item["red_hours"], item["inherited"]) == (red, False)
        assert "; hit;" in status(await here.get(THRESHOLDS, headers=own))


async def test_it_follows_what_psql_writes_and_what_a_clear_ends(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    viewer = await sign_in(seed.maga.viewer)
    before = (await viewer.get(THRESHOLDS)).content
    await connection.execute("UPDATE urgency_threshold SET red_hours = 1 WHERE clinic_id IS NULL")

    async def has_changed() -> bool:
        return (await viewer.get(THRESHOLDS)).content != before

    await machine.until(has_changed)
    assert "; hit;" in status(await viewer.get(THRESHOLDS))
    await FastAPICache.clear("catalogs")
    assert "fwd=miss" in status(await viewer.get(THRESHOLDS))
    await viewer.get(BLOCKS)
    await FastAPICache.clear("catalogs:thresholds")
    assert "fwd=miss" in status(await viewer.get(THRESHOLDS))
    assert "; hit;" in status(await viewer.get(BLOCKS))


async def test_clinics_are_apart_and_users_of_one_share(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    await admin.put(THRESHOLDS, json=HOURS)
    maga, superuser = await sign_in(seed.maga.viewer), await sign_in(seed.superuser)
    [own] = (await admin.get(THRESHOLDS)).json()["items"]
    [foreign] = (await maga.get(THRESHOLDS)).json()["items"]
    assert (own["clinic_id"], own["red_hours"], own["updated_by"]) == (seed.sant.id, 1, seed.sant.admin)
    assert (foreign["clinic_id"], foreign["red_hours"], foreign["updated_by"]) == (seed.maga.id, 2, None)
    assert len((await superuser.get(THRESHOLDS)).json()["items"]) == 3
    named = await superuser.get(THRESHOLDS, params={"clinic_id": seed.sant.id})
    assert (named.json()["items"], "; hit;" in status(named)) == ([own], True)
    assert (await maga.get(THRESHOLDS, params={"clinic_id": seed.sant.id})).status_code == 404
