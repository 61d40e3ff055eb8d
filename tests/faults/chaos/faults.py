"""What a run breaks at random: each fault breaks one thing for a while, and mends it again."""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from core.clock import boottime
from tests.faults.chaos.history.history import Restore
from tests.faults.chaos.load import Reader, World
from tests.faults.chaos.network.network import LISTENER
from tests.faults.chaos.network.toxic import DOWN
from tests.faults.chaos.site import DATABASE, Site
from tests.faults.redis import trouble
from tests.support.servers.breakable import command

STOPPED = 5.0
"""Seconds that a process is stopped: longer than its lease."""
LATE = 8
"""Requests that a stopped process finds when it goes on, asked just before."""


@dataclass(frozen=True)
class Breaking:
    site: Site
    world: World
    chance: random.Random

    @property
    def process(self) -> int:
        """The number of one of the processes, by chance."""
        return self.chance.randrange(len(self.site.ports))


Kind = Callable[[Breaking], AbstractAsyncContextManager[None]]
KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Callable[[Breaking], AsyncIterator[None]]], Kind]:
    """What comes before the function's `yield` breaks something, what comes after mends it."""

    def named(function: Callable[[Breaking], AsyncIterator[None]]) -> Kind:
        KINDS[name] = asynccontextmanager(function)
        return KINDS[name]

    return named


@kind("Redis killed")
async def redis_killed(here: Breaking) -> AsyncIterator[None]:
    await here.site.redis.kill()
    yield
    await here.site.redis.start()


@kind("Redis restarted with old data")
async def redis_back_in_time(here: Breaking) -> AsyncIterator[None]:
    await command(here.site.redis.url, "SAVE")
    yield
    await here.site.redis.kill()
    await here.site.redis.start()


@kind("Redis hung")
async def redis_hung(here: Breaking) -> AsyncIterator[None]:
    await here.site.redis.hang()
    yield
    await here.site.redis.go_on()


@kind("Redis a read-only replica")
async def redis_read_only(here: Breaking) -> AsyncIterator[None]:
    await trouble.make_replica(here.site.redis)
    yield
    await trouble.make_primary(here.site.redis)


@kind("Redis out of memory")
async def redis_full(here: Breaking) -> AsyncIterator[None]:
    await trouble.fill_up(here.site.redis)
    yield
    await trouble.make_room(here.site.redis)


@kind("Redis with another password")
async def redis_locked(here: Breaking) -> AsyncIterator[None]:
    await trouble.set_password(here.site.redis)
    yield
    await trouble.drop_password(here.site.redis)


@kind("Redis flushed")
async def redis_flushed(here: Breaking) -> AsyncIterator[None]:
    await trouble.flush(here.site.redis)
    yield


@kind("garbage in every key of Redis")
async def redis_garbage(here: Breaking) -> AsyncIterator[None]:
    await trouble.write_garbage(here.site.redis)
    yield


@kind("PostgreSQL killed")
async def postgres_killed(here: Breaking) -> AsyncIterator[None]:
    await here.site.postgres.kill()
    yield
    await here.site.postgres.start()


@kind("PostgreSQL hung")
async def postgres_hung(here: Breaking) -> AsyncIterator[None]:
    await here.site.postgres.hang()
    yield
    await here.site.postgres.go_on()


@kind("PostgreSQL restored from a backup")
async def postgres_restored(here: Breaking) -> AsyncIterator[None]:
    here.world.writing.clear()
    await here.world.idle.wait()
    began = boottime()
    with here.world.history.begun(Restore(began, math.inf)):
        await here.site.restore()
        here.world.history.add(Restore(began, boottime()))
    here.world.writing.set()
    yield


@kind("all connections to PostgreSQL cut")
async def postgres_cut(here: Breaking) -> AsyncIterator[None]:
    await here.site.administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'")
    yield


@kind("a listening connection silently dead")
async def listener_dead(here: Breaking) -> AsyncIterator[None]:
    toxic = here.chance.choice(here.site.networks).between[LISTENER]
    for way in toxic.ways.values():
        way.hold()
    yield
    toxic.mend()


@kind("slow listening connections")
async def listener_slow(here: Breaking) -> AsyncIterator[None]:
    toxics = [network.between[LISTENER] for network in here.site.networks]
    for toxic in toxics:
        toxic.ways[DOWN].delay = 0.3
    yield
    for toxic in toxics:
        toxic.mend()


@kind("a process stopped")
async def process_stopped(here: Breaking) -> AsyncIterator[None]:
    await stop(here, here.process)
    yield


@kind("a process stopped, its notifications lost")
async def process_stopped_and_deaf(here: Breaking) -> AsyncIterator[None]:
    number = here.process
    toxic = here.site.networks[number].between[LISTENER]
    toxic.ways[DOWN].hold()
    await stop(here, number)
    yield
    toxic.mend()


async def stop(here: Breaking, number: int) -> None:
    """For STOPPED seconds. Those who ask at once may be given what was true then; those who ask late may not."""
    here.world.stopped.add(number)
    async with AsyncExitStack() as closing:  # also where the run ends meanwhile
        late = [Reader(here.world, number) for _ in range(LATE)]
        for reader in late:
            closing.callback(reader.close)
            await reader.open()
        await asyncio.sleep(0.1)  # the process has their connections
        await here.site.stop(number)
        # As long as it stands still.
        await asyncio.sleep(STOPPED)
        async with asyncio.TaskGroup() as asking:
            for reader in late:
                register = here.chance.choice(here.world.registers)
                asking.create_task(reader.read([register], register.bearer))
            await asyncio.sleep(0.05)  # their requests lie in its sockets
            here.site.go_on(number)
            here.world.stopped.discard(number)


@kind("a process killed")
async def process_killed(here: Breaking) -> AsyncIterator[None]:
    number = here.process
    here.world.stopped.add(number)
    await here.site.kill(number)
    yield
    here.site.start(number)
    await here.site.ready(number)
    here.world.stopped.discard(number)
