"""What a dashboard's headers tell: its form, its age, and that what a client holds is still right on any process."""

import gzip
import re

import httpx
from fastapi import FastAPI

from core.settings import Settings
from tests.api.v1.dashboard.conftest import SetClock
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine

HOUR = 3600
DASHBOARD = "/v1/dashboard"


def ttl(answer: httpx.Response) -> int:
    matched = re.fullmatch(r"ticket-home; hit; ttl=(\d+); detail=(memory|redis)", answer.headers["cache-status"])
    assert matched, answer.headers["cache-status"]
    return int(matched[1])


async def test_it_travels_compressed_where_the_client_takes_it(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    async with admin.stream("GET", DASHBOARD, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    plain = await admin.get(DASHBOARD, headers={"Accept-Encoding": "identity"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(raw)
    assert "content-encoding" not in plain.headers
    assert len(raw) < len(plain.content) / 4
    assert gzip.decompress(raw) == plain.content
    for sent in (answer, plain):
        assert sent.headers["etag"] == plain.headers["etag"]
        assert "Accept-Encoding" in sent.headers["vary"].split(", ")


async def test_its_vary_names_all_that_decides_it(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    first = await admin.get(DASHBOARD)
    unchanged = await admin.get(DASHBOARD, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, unchanged.status_code) == (200, 304)
    for answer in (first, unchanged):
        assert set(answer.headers["vary"].split(", ")) == {"Cookie", "Authorization", "Accept-Encoding", "Origin"}
        assert answer.headers["cache-control"] == "private, no-cache"


async def test_it_ages_on_the_databases_clock_and_ends_with_the_hour(app: FastAPI, sign_in: SignIn, seed: Seed) -> None:
    clock = app.state.runtime.versions
    readers = [await sign_in(seed.sant.admin), await sign_in(seed.superuser)]
    began = machine.now()
    first = [await reader.get(DASHBOARD) for reader in readers]
    left = [ttl(await reader.get(DASHBOARD)) for reader in readers]
    clock.clock.shift(100)
    for reader, miss, seconds in zip(readers, first, left, strict=True):
        assert (miss.headers["cache-status"], miss.headers["age"]) == ("ticket-home; fwd=miss; stored", "0")
        hit = await reader.get(DASHBOARD)
        assert hit.content == miss.content
        past = 100 + machine.bound(10, began)
        assert 100 <= int(hit.headers["age"]) <= past
        assert seconds - past <= ttl(hit) <= seconds - 100
    clock.clock.shift(HOUR - 100)
    for reader, miss in zip(readers, first, strict=True):
        later = await reader.get(DASHBOARD, headers={"If-None-Match": miss.headers["etag"]})
        assert later.status_code == 200, "by_hour begins an hour later"
        assert (later.headers["cache-status"], later.headers["age"]) == ("ticket-home; fwd=miss; stored", "0")


async def test_two_replicas_give_one_etag_and_take_each_others(
    settings: Settings, sign_in: SignIn, seed: Seed, connection: rows.Connection, ten_past: SetClock
) -> None:
    """They share the database alone."""
    await seed.sant.ticket(connection)
    apart = settings.model_copy(update={"cache_prefix": f"{settings.cache_prefix}-apart"})
    async with running(apart) as (replica, _):
        ten_past(replica)
        replica.state.runtime.versions.clock.shift(60)
        for username in (seed.sant.admin, seed.superuser):
            here, there = await sign_in(username), await sign_in(username, on=replica)
            first = await here.get(DASHBOARD)
            second = await there.get(DASHBOARD, headers={"If-None-Match": first.headers["etag"]})
            assert (second.status_code, second.headers["etag"]) == (304, first.headers["etag"])
            assert second.headers["cache-status"] == "ticket-home; fwd=miss; stored"
            assert (await there.get(DASHBOARD)).json()["generated_at"] > first.json()["generated_at"]


async def test_an_entry_is_its_clinics_whoever_reads_it(sign_in: SignIn, seed: Seed) -> None:
    """A superuser who names the clinic and its admin share it; the other clinic's admin, with that ETag, does not."""
    admin, foreign, superuser = [await sign_in(name) for name in (seed.sant.admin, seed.maga.admin, seed.superuser)]
    first = await admin.get(DASHBOARD)
    named = await superuser.get(DASHBOARD, params={"clinic_id": seed.sant.id})
    assert ttl(named) > 0
    assert (named.content, named.headers["etag"]) == (first.content, first.headers["etag"])
    other = await foreign.get(DASHBOARD, headers={"If-None-Match": first.headers["etag"]})
    assert (other.status_code, other.json()["clinic_id"]) == (200, seed.maga.id)


async def test_an_if_none_match_of_many_kilobytes_is_looked_at_for_four(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    etag = (await admin.get(DASHBOARD)).headers["etag"]
    others = ", ".join(f'"{number}"' for number in range(1000))
    for sent, status in ((f"{etag}, {others}", 304), (f"{others}, {etag}", 200), ('"' * 9000, 200), (", " * 4000, 200)):
        assert (await admin.get(DASHBOARD, headers={"If-None-Match": sent})).status_code == status
