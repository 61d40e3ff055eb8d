"""A Redis Cluster: a node may die or hang, and a slot may move under reads. What holds on one server and on a cluster
alike is marked `also_on_a_cluster`, where it is tested on one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from core.operations.doctor.configuration import Addresses
from core.operations.doctor.examine import examine
from core.operations.doctor.finding import Verdict
from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.faults.stream import NOTHING_SLOWER, READS, Stream
from tests.support import machine
from tests.support.servers.cluster import Cluster, Node, formed
from tests.support.signing_in import sign_in


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    async with formed(*(Node(folder / f"node{number}") for number in range(3))) as made:
        yield made


@pytest.fixture
def redis_url(cluster: Cluster) -> str:
    """In place of the one server that `settings` has elsewhere."""
    return cluster.url


@pytest.fixture
async def stream(settings: Settings, seed: Seed) -> AsyncIterator[Stream]:
    async with running(settings) as (app, client):
        await sign_in(client, seed.sant.viewer)
        made = Stream(app.state.runtime, client, seed.sant.id, existing=1)
        async with made.flowing():
            yield made


def slot_of(stream: Stream) -> int:
    redis = stream.runtime.redis
    slot: int = redis.client.keyslot(redis.keys.of(stream.clinic_id))
    return slot


async def used_again(stream: Stream) -> None:
    """Nothing has to be repaired: the breaker closes by itself, and answers come from Redis's nodes again."""
    redis = stream.runtime.redis

    async def without_an_error() -> bool:
        before = redis.errors
        seen = await stream.flow(0.8)
        assert seen.wrong == []
        return not redis.breaker.is_open and redis.errors == before

    await machine.until(without_an_error)


@pytest.mark.long
async def test_a_slot_that_moves_under_reads_and_writes_is_noticed_by_no_client(
    stream: Stream, cluster: Cluster
) -> None:
    """While a part of its keys has moved, redis-py may lose its way among both nodes (it sends ASKING on a connection
    that another command may get); then PostgreSQL answers."""
    began = machine.now()
    await stream.flow(0.5, READS)
    slot = slot_of(stream)
    source = await cluster.holder(slot)
    for to in (*(node for node in cluster.nodes if node is not source), source):
        flowing = asyncio.create_task(stream.flow(1.2, READS))
        await cluster.move(slot, to, half_way=0.8)
        seen = await flowing
        assert seen.wrong == []
        assert seen.slowest < machine.bound(NOTHING_SLOWER, began)
        await used_again(stream)


@pytest.mark.long
@pytest.mark.parametrize(
    ("holds", "coverage"),
    [
        pytest.param(True, "no", id="with the clinic's slot, the others answer"),
        pytest.param(False, "yes", id="with another slot, and none answers"),
    ],
)
async def test_a_killed_node_is_noticed_by_no_client(
    stream: Stream, cluster: Cluster, coverage: str, holds: bool
) -> None:
    began = machine.now()
    await stream.flow(0.3)
    holder = await cluster.holder(slot_of(stream))
    victim = holder if holds else next(node for node in cluster.nodes if node is not holder)
    for node in cluster.nodes:
        await node.ask("CONFIG", "SET", "cluster-require-full-coverage", coverage)
    victim.kill()
    try:
        seen = await stream.flow(1.8, READS)
    finally:
        victim.start()
        await cluster.whole()
    assert seen.wrong == []
    assert seen.slowest < machine.bound(NOTHING_SLOWER, began)
    await used_again(stream)


async def test_a_hung_node_costs_each_client_a_budget_at_most(stream: Stream, cluster: Cluster) -> None:
    began = machine.now()
    await stream.flow(0.3)
    victim: Node = await cluster.holder(slot_of(stream))
    victim.hang()
    try:
        seen = await stream.flow(1.8, READS)
    finally:
        victim.go_on()
        await cluster.whole()
    assert seen.wrong == []
    assert seen.slowest < machine.bound(NOTHING_SLOWER, began)
    await used_again(stream)


@pytest.mark.long
async def test_the_first_named_node_may_be_away_at_the_start(settings: Settings, seed: Seed, cluster: Cluster) -> None:
    cluster.nodes[0].kill()
    try:
        async with running(settings) as (app, client):
            await sign_in(client, seed.sant.viewer)
            assert (await client.get("/v1/doctors")).status_code == 200
            cluster.nodes[0].start()
            await cluster.whole()
            await used_again(Stream(app.state.runtime, client, seed.sant.id, existing=1))
            assert await app.state.runtime.redis.set(app.state.runtime.redis.keys.of(1, "t"), b"1", 5)
    finally:
        cluster.nodes[0].kill()
        cluster.nodes[0].start()
        await cluster.whole()


async def test_the_doctor_looks_at_every_primary(settings: Settings, seed: Seed, cluster: Cluster) -> None:
    addresses = Addresses.of(settings)
    found = {finding.check: finding async for finding in examine(addresses)}
    assert "a cluster of 3 primaries" in found["Redis"].seen
    assert {found[name].verdict for name in ("Redis", "Redis's answers")} == {Verdict.OK}
    one_node = replace(addresses, redis_url=cluster.nodes[0].url)
    found = {finding.check: finding async for finding in examine(one_node)}
    assert found["Redis"].verdict is Verdict.FAILED
    assert "redis+cluster://" in found["Redis"].remedy
