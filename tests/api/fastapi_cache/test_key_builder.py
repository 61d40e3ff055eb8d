"""fastapi-cache2 with its plain `@cache` over our tiers: coherent, apart for each user, and unmoved by Redis."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi_cache import FastAPICache

from api.fastapi_cache.arguments import asked_of, shape_of_answer
from api.fastapi_cache.backend import TieredBackend
from api.fastapi_cache.invalidation import topic_of, topics_of
from api.fastapi_cache.key_builder import RouteKeys
from core.cache.entry import decode
from core.cache.tiers.trouble import Trouble
from core.settings import Settings
from tests.api.fastapi_cache.counted_routes import Counted, Prefs, Service, application
from tests.factories import rows
from tests.factories.fixtures import Seed


@pytest.fixture
async def counted(settings: Settings, seed: Seed) -> AsyncIterator[Counted]:
    async with application(settings, seed) as made:
        yield made


async def write_ticket(counted: Counted, connection: rows.Connection, clinic: Any) -> None:
    """In psql, and known here as from a commit of this process: no wait for the notification."""
    await clinic.ticket(connection)
    counted.runtime.versions.distrust()


async def test_the_application_runs_plain_cache_routes_on_its_own_tiers(app: FastAPI) -> None:
    backend = FastAPICache.get_backend()
    assert isinstance(backend, TieredBackend)
    await backend.set("key", b"1", 60)
    entry = decode(app.state.runtime.cache.memory.get("key"))
    assert entry is not None
    assert entry.body == b"1"
    assert isinstance(FastAPICache.get_key_builder(), RouteKeys)


async def test_it_is_coherent_after_a_write_and_only_for_the_clinic_written_to(
    counted: Counted, connection: rows.Connection, seed: Seed
) -> None:
    for user in ("sant", "maga", "root"):
        assert (await counted.get("/count", user))[1] == "MISS"
        assert (await counted.get("/count", user))[1] == "HIT"
    await write_ticket(counted, connection, seed.sant)
    sant = {"clinic_id": seed.sant.id, "tickets": 1, "on": "2026-01-02"}
    assert await counted.get("/count", "sant") == (sant, "MISS")
    assert await counted.get("/count", "sant") == (sant, "HIT")
    assert (await counted.get("/count", "maga"))[1] == "HIT"
    assert await counted.get("/count", "root") == (sant | {"clinic_id": None}, "MISS")


async def test_two_users_never_share_even_in_one_clinic(counted: Counted, seed: Seed) -> None:
    for turn in ("MISS", "HIT"):
        for user, clinic_id in (
            ("sant", seed.sant.id),
            ("sant2", seed.sant.id),
            ("maga", seed.maga.id),
            ("root", None),
        ):
            body, outcome = await counted.get("/count", user)
            assert (body["clinic_id"], outcome) == (clinic_id, turn)
    assert counted.runs == 4


async def test_a_public_route_follows_every_clinic_and_knows_its_query_apart(
    counted: Counted, connection: rows.Connection, seed: Seed
) -> None:
    assert await counted.get("/all") == ({"tickets": 0, "page": 1}, "MISS")
    assert await counted.get("/all?page=2") == ({"tickets": 0, "page": 2}, "MISS")
    assert await counted.get("/all?page=2", "maga") == ({"tickets": 0, "page": 2}, "HIT")
    await write_ticket(counted, connection, seed.maga)
    assert await counted.get("/all?page=2") == ({"tickets": 1, "page": 2}, "MISS")


@pytest.mark.also_on_a_cluster
async def test_another_process_finds_it_in_redis(counted: Counted) -> None:
    await counted.get("/count", "sant")
    counted.runtime.cache.memory.clear()
    assert (await counted.get("/count", "sant"))[1] == "HIT"
    assert counted.runs == 1


async def test_clear_of_a_namespace_ends_it_everywhere_at_once_and_no_other(
    counted: Counted, connection: rows.Connection
) -> None:
    await counted.get("/count", "sant")
    await counted.get("/all")
    await FastAPICache.clear("reports")
    assert (await counted.get("/count", "sant"))[1] == "MISS"
    assert (await counted.get("/all"))[1] == "HIT"
    await FastAPICache.clear()
    assert (await counted.get("/count", "sant"))[1] == "MISS"
    assert (await counted.get("/all"))[1] == "MISS"
    topics = await connection.fetch("SELECT topic FROM cache_version WHERE topic LIKE 'ns:%' ORDER BY topic")
    assert [row["topic"] for row in topics] == ["ns:ticket-home", "ns:ticket-home:reports"]


async def test_its_hits_and_misses_are_counted_per_tier(counted: Counted) -> None:
    for _ in range(3):
        await counted.get("/count", "sant")
    counted.runtime.cache.memory.clear()
    await counted.get("/count", "sant")
    counts = counted.runtime.cache.stats.counts
    assert {key: count for key, count in counts.items() if key[0] == "route"} == {
        ("route", "miss", "database"): 1,
        ("route", "hit", "memory"): 2,
        ("route", "hit", "redis"): 1,
    }


async def test_it_survives_an_outage_of_redis(counted: Counted, connection: rows.Connection, seed: Seed) -> None:
    counted.runtime.redis.breaker.failed(Trouble.TIMEOUT, "hung")
    assert (await counted.get("/count", "sant"))[1] == "MISS"
    assert (await counted.get("/count", "sant"))[1] == "HIT"
    await write_ticket(counted, connection, seed.sant)
    body, outcome = await counted.get("/count", "sant")
    assert (body["tickets"], outcome) == (1, "MISS")


async def test_corrupt_bytes_are_a_miss(counted: Counted, settings: Settings) -> None:
    await counted.get("/count", "sant")
    counted.runtime.cache.memory.clear()
    client = counted.runtime.redis.client
    keys = [key async for key in client.scan_iter(f"{settings.cache_prefix}:*:route:*")]
    assert len(keys) == 1
    await client.set(keys[0], b'{"clinic_id": 1, "tickets": 99}')
    assert await counted.get("/count", "sant") == (
        {"clinic_id": 1, "tickets": 0, "on": "2026-01-02"},
        "MISS",
    )


async def test_only_a_json_answer_with_status_200_is_kept(counted: Counted) -> None:
    async with counted.client() as client:
        for _ in range(2):
            assert (await client.get("/answers/json")).json() == {"a": 1}
            assert (await client.get("/answers/text")).text == "a, b"
            assert (await client.get("/answers/no")).status_code == 409
    assert counted.runs == 1 + 2 + 2


def test_a_namespace_depends_on_those_around_it() -> None:
    assert topics_of("ticket-home:") == ("ns:ticket-home",)
    assert topics_of("ticket-home:a:b") == ("ns:ticket-home", "ns:ticket-home:a", "ns:ticket-home:a:b")


@pytest.mark.parametrize("name", ["with space", "a/b", "a=b", "*", "ñ", "x" * 200])
def test_a_namespaces_topic_fits_in_the_table_and_the_notification(name: str) -> None:
    topic = topic_of(name)
    assert topic.isascii()
    assert not set(" /=*") & set(topic)
    assert len(topic) <= 80


def plain(value: object) -> None:
    """What is decorated in these."""


@pytest.mark.parametrize("value", [Service(), [Service()], Settings.model_construct()])
def test_a_plain_functions_argument_without_a_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be cached"):
        asked_of(plain, "ns", None, (value,), {})
    with pytest.raises(TypeError, match="cannot be cached"):
        asked_of(plain, "ns", None, (), {"value": value})


def test_calls_with_other_values_functions_and_namespaces_have_other_keys() -> None:
    def other(value: object) -> None:
        """Not `plain`."""

    calls: list[tuple[Callable[..., Any], str, tuple[Any, ...], dict[str, Any]]] = [
        (plain, "ns", (1,), {}),
        (plain, "ns", (2,), {}),
        (plain, "ns", (), {"value": 1}),
        (plain, "sn", (1,), {}),
        (other, "ns", (1,), {}),
        (plain, "ns", ("1",), {}),
        (plain, "ns", (None,), {}),
        (plain, "ns", ("None",), {}),
        (plain, "ns", (["a", "b"],), {}),
        (plain, "ns", (["b", "a"],), {}),
        (plain, "ns", ([["a"], "b"],), {}),
        (plain, "ns", (Prefs(x_unit="days"),), {}),
        (plain, "ns", (Prefs(),), {}),
    ]
    keys = {
        (shape_of_answer(function), asked_of(function, namespace, None, args, kwargs).digest)
        for function, namespace, args, kwargs in calls
    }
    assert len(keys) == len(calls)


async def test_the_order_of_a_names_values_and_a_model_of_headers_are_asked_for_too(counted: Counted) -> None:
    for order in (["a", "b"], ["b", "a"]):
        assert await counted.get(f"/order?order={order[0]}&order={order[1]}") == (order, "MISS")
    for unit in ("hours", "days"):
        async with counted.client() as client:
            assert (await client.get("/unit", headers={"X-Unit": unit})).json() == {"unit": unit}
