"""What is broken for each alert: within each of these it is, and after it all is well again."""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta

import asyncpg
import httpx

from core import times
from tests.factories import rows
from tests.faults.alerts.site import EVENT_STREAMS, WORKERS, Replica, Site, asked, beside
from tests.faults.redis.trouble import write_garbage
from tests.support.event_streams import connected
from tests.support.machine import until
from tests.support.processes.services import worker_pids
from tests.support.signing_in import credentials

STOPPED = 1.5
"""Seconds for which a process stands still again and again: longer than it may be late, and no longer than its watchdog
allows for a hang."""
GOES = 0.012
"""Seconds for which it goes on in between: it hears of a change, and hardly comes to tell it."""
STOPS = 4
TOLD = 7.0
"""Seconds after so many stops for which it goes on, and is scraped: what was late lately is told for longer."""


@dataclass(frozen=True)
class Breakage:
    breaks: Callable[[Site], AbstractAsyncContextManager[None]]
    alerts: tuple[str, ...]


@asynccontextmanager
async def connection_to(site: Site) -> AsyncIterator[rows.Connection]:
    made = await asyncpg.connect(site.database_url)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def somebody_writes_into_redis(site: Site) -> AsyncIterator[None]:
    over = asyncio.Event()

    async def write() -> None:
        while not over.is_set():
            await write_garbage(site.redis)
            with suppress(TimeoutError):  # what is read meanwhile is ours again, and then no longer
                await asyncio.wait_for(over.wait(), 0.5)

    writing = asyncio.create_task(write())
    try:
        yield
    finally:
        # Not cancelled: a client of Redis that is leaves its connection behind.
        over.set()
        await writing


@asynccontextmanager
async def nobody_collects_the_log(site: Site) -> AsyncIterator[None]:
    site.two.lose_the_collector()
    try:
        yield
    finally:
        site.two.find_the_collector()


@asynccontextmanager
async def passwords_are_guessed(site: Site) -> AsyncIterator[None]:
    async def guess(client: httpx.AsyncClient) -> None:
        await client.post("/v1/auth/login", json=credentials(site.seed.maga.viewer, "a guess"))

    async with asked(site, site.one, guess, clients=4), asked(site, site.two, guess, clients=4):
        yield


@asynccontextmanager
async def more_clients_listen_than_there_is_room_for(site: Site) -> AsyncIterator[None]:
    async def come() -> None:
        while True:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                async with connected(site.two.port, site.headers) as client:
                    assert client.status == 503
            await asyncio.sleep(0.2)

    async with AsyncExitStack() as stack:
        for _ in range(EVENT_STREAMS):
            await stack.enter_async_context(connected(site.two.port, site.headers))
        await stack.enter_async_context(beside(come()))
        yield


@asynccontextmanager
async def a_worker_stands_still(site: Site) -> AsyncIterator[None]:
    pid = worker_pids(site.one.served)[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def a_worker_does_not_come_to_serve(site: Site) -> AsyncIterator[None]:
    before = set(worker_pids(site.one.served))
    os.kill(min(before), signal.SIGKILL)
    await until(lambda: set(worker_pids(site.one.served)) - before)
    [started] = set(worker_pids(site.one.served)) - before
    os.kill(started, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(started, signal.SIGCONT)


@asynccontextmanager
async def workers_die(site: Site) -> AsyncIterator[None]:
    """All of a replica's but one, which tells of it."""
    for pid in worker_pids(site.one.served)[1:]:
        os.kill(pid, signal.SIGKILL)
    yield
    await until(lambda: len(worker_pids(site.one.served)) == WORKERS)


@asynccontextmanager
async def a_table_is_locked(site: Site) -> AsyncIterator[None]:
    """By a migration that forgot its lock_timeout, say. Each client asks for another dashboard."""
    days = itertools.count()

    async def ask(client: httpx.AsyncClient) -> None:
        from_day = date(2020, 1, 1) + timedelta(days=next(days))
        await client.get("/v1/dashboard", params={"date_from": from_day.isoformat()})

    async def look(client: httpx.AsyncClient) -> None:
        await client.get("/v1/tickets")

    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connection_to(site))
        await stack.enter_async_context(connection.transaction())
        await connection.execute("LOCK TABLE ticket")
        for replica in (site.one, site.two):
            await stack.enter_async_context(asked(site, replica, ask, clients=12))
            await stack.enter_async_context(asked(site, replica, look, clients=4))
        yield


@asynccontextmanager
async def a_trigger_is_off(site: Site) -> AsyncIterator[None]:
    async with connection_to(site) as connection:
        await connection.execute("ALTER TABLE doctor DISABLE TRIGGER cache_stamp_update")
        try:
            yield
        finally:
            # As it was made, and as `ticket-home doctor --repair` makes it again.
            await connection.execute("ALTER TABLE doctor ENABLE ALWAYS TRIGGER cache_stamp_update")


@asynccontextmanager
async def one_replica_cannot_listen(site: Site) -> AsyncIterator[None]:
    async with site.listening.away():
        yield


@asynccontextmanager
async def one_replica_loses_postgres(site: Site) -> AsyncIterator[None]:
    async with site.work.away(), site.listening.away():
        yield


@asynccontextmanager
async def a_process_hardly_gets_its_turn(site: Site) -> AsyncIterator[None]:
    """As with a quota of CPU that is much too small; clients of it listen, and others write."""

    async def stop_and_go() -> None:
        try:
            while True:
                for _ in range(STOPS):
                    site.two.signal_all(signal.SIGSTOP)
                    await asyncio.sleep(STOPPED)
                    site.two.signal_all(signal.SIGCONT)
                    await asyncio.sleep(GOES)
                await asyncio.sleep(TOLD)
        finally:
            site.two.signal_all(signal.SIGCONT)

    async def write() -> None:
        async with connection_to(site) as connection:
            while True:
                await connection.execute("UPDATE doctor SET name = 'Dr. ' || gen_random_uuid()")
                await asyncio.sleep(0.05)

    async with connected(site.two.port, site.headers), beside(write(), stop_and_go()):
        yield


@asynccontextmanager
async def a_commit_comes_late(site: Site) -> AsyncIterator[None]:
    """As it looks where a process is not told of a write: it says when it was written, and is not seen until later."""

    async def write() -> None:
        async with connection_to(site) as connection:
            while True:
                async with connection.transaction():
                    await connection.execute("UPDATE canary SET written_at = clock_timestamp()")
                    await asyncio.sleep(1.5 * times.VERSION_LEASE)
                await asyncio.sleep(1.0)  # until it was read

    async with beside(write()):
        yield


@asynccontextmanager
async def a_roll_out_stops_half_way(site: Site) -> AsyncIterator[None]:
    """One replica is away for a time, and then another release."""

    async def roll_out() -> None:
        await site.two.stop()
        await site.until_firing("ReplicaAway")
        await site.two.start("another")

    async with beside(roll_out()) as [rolling]:
        yield
        await rolling
    await site.two.stop()
    await site.two.start()


@asynccontextmanager
async def redis_is_lost(site: Site) -> AsyncIterator[None]:
    async with site.redis.killed():
        yield


@asynccontextmanager
async def postgres_is_lost(site: Site) -> AsyncIterator[None]:
    async with site.postgres.killed():
        yield


@asynccontextmanager
async def every_replica_stands_still(site: Site) -> AsyncIterator[None]:
    replicas: tuple[Replica, ...] = (site.one, site.two)
    for replica in replicas:
        replica.signal_all(signal.SIGSTOP)
    try:
        yield
    finally:
        for replica in replicas:
            replica.signal_all(signal.SIGCONT)


TOGETHER: tuple[tuple[Breakage, ...], ...] = (
    (Breakage(every_replica_stands_still, ("NoReplica",)),),
    (Breakage(a_trigger_is_off, ("FewHits",)), Breakage(one_replica_cannot_listen, ("NotPushed",))),
    (
        Breakage(a_commit_comes_late, ("StaleAnswers", "VersionsLate")),
        Breakage(workers_die, ("WorkersReplaced",)),
    ),
    (
        Breakage(a_worker_stands_still, ("WorkerSilent",)),
        Breakage(somebody_writes_into_redis, ("ForeignValues",)),
        Breakage(nobody_collects_the_log, ("LogLinesDropped",)),
        Breakage(passwords_are_guessed, ("PasswordsGuessed",)),
        Breakage(more_clients_listen_than_there_is_room_for, ("EventsRefused",)),
    ),
    (
        Breakage(a_process_hardly_gets_its_turn, ("LoopHeldUp", "EventsLate")),
        Breakage(a_worker_does_not_come_to_serve, ("WorkerMissing",)),
    ),
    (Breakage(a_table_is_locked, ("Slow", "SlowSlowly", "PoolWaits", "FillsQueue")),),
    (Breakage(one_replica_loses_postgres, ("CannotWrite",)), Breakage(redis_is_lost, ("RedisAway",))),
    (Breakage(a_roll_out_stops_half_way, ("ReplicaAway", "SeveralReleases")),),
    (Breakage(postgres_is_lost, ("DatabaseAway", "LeaseLapsed", "CanarySilent", "Errors", "ErrorsSlowly")),),
)
"""Those of one line are broken at once: none of them brings about another one's alert. That a loop was held up is told
for half a minute: what stops processes comes first, so that nobody waits for it in the end."""
EVERY = [breakage for together in TOGETHER for breakage in together]
