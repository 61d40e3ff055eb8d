"""Who computes for all processes, killed or stopped on the way: another one does, and nothing wrong is ever kept."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core import times
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.clients.crowd import crowd
from tests.faults.processes.child import Child, child
from tests.support import machine
from tests.support.processes.services import workers
from tests.support.signing_in import bearer

CLIENTS = 500
VERSION = "SELECT version FROM cache_version WHERE clinic_id = $1 AND topic = 'catalogs'"
COMPUTING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
AND state = 'idle in transaction' AND state_change < clock_timestamp() - interval '50 ms'
"""


@pytest.fixture
async def two(settings: Settings, seed: Seed) -> AsyncIterator[tuple[Child, Child]]:
    """Two processes that are ready: both have read once."""
    async with child(settings, seed.sant.id) as one, child(settings, seed.sant.id) as other:
        assert [(await each.read()).doctors for each in (one, other)] == [1, 1]
        yield one, other


async def heard(connection: rows.Connection, seed: Seed, *children: Child) -> None:
    """Return once each process knows the version that the database has now."""
    version: int = await connection.fetchval(VERSION, seed.sant.id)
    for one in children:

        async def knows(one: Child = one) -> bool:
            return await one.version() == version

        await machine.until(knows)


async def computing(connection: rows.Connection) -> None:
    """Return once a fill has its snapshot, and waits."""
    await machine.until(lambda: connection.fetchval(COMPUTING))


async def test_a_leader_killed_while_it_computes_is_replaced_when_its_lease_is_over(
    two: tuple[Child, Child], seed: Seed, connection: rows.Connection
) -> None:
    leader, follower = two
    fills = (await follower.read()).fills
    await rows.doctor(connection, seed.sant.id)
    await heard(connection, seed, leader, follower)
    leader.ask(30.0)
    await computing(connection)
    leader.process.kill()
    began = machine.now()
    answer = await follower.read()
    assert (answer.doctors, answer.outcome, answer.fills) == (2, "miss", fills + 1)
    # It was waited for, and no longer than its lease.
    assert machine.now() - began < machine.bound(times.FILL_LEASE + 0.5, began)


async def test_a_leader_stopped_while_it_computes_harms_nothing_when_it_goes_on(
    two: tuple[Child, Child], seed: Seed, connection: rows.Connection
) -> None:
    leader, follower = two
    await rows.doctor(connection, seed.sant.id)
    await heard(connection, seed, leader, follower)
    leader.ask(1.0)
    await computing(connection)
    leader.process.send_signal(signal.SIGSTOP)
    try:
        # Its snapshot has two doctors. Others do not wait for what is old.
        await rows.doctor(connection, seed.sant.id)
        await heard(connection, seed, follower)
        assert (await follower.read()).doctors == 3
        # Its lease runs out while it stands still.
        await asyncio.sleep(times.FILL_LEASE)
    finally:
        leader.process.send_signal(signal.SIGCONT)
    # It was right when it was asked for; a retry after the pause is right, too.
    assert (await leader.answer()).doctors in (2, 3)
    await heard(connection, seed, leader, follower)
    for each in two:
        assert (await each.read())[:2] == (3, "hit")


@pytest.mark.long
async def test_a_crowd_at_an_empty_key_of_two_workers_is_answered_by_one_computation(
    settings: Settings, seed: Seed, tmp_path: Path
) -> None:
    with workers(settings, 2, tmp_path / "log") as served:
        async with crowd(served.port, CLIENTS, bearer(served.url, seed.sant.admin)) as clients:
            await clients.get("/v1/auth/me")
            for path in ("/v1/dashboard", "/v1/surgeries", "/v1/doctors"):
                answers = await clients.get(path)
                assert {answer.status for answer in answers} == {200}
                # The bodies tell when they were computed.
                assert len({answer.body for answer in answers}) == 1
                statuses = [answer.headers["cache-status"] for answer in answers]
                assert sum("fwd=miss" in status and "collapsed" not in status for status in statuses) == 1
