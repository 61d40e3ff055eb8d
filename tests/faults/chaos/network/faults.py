"""What goes wrong between processes and their servers, of which both sides are well; and notifications nobody sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import asyncpg

from core.cache.versions.payload import CHANNEL
from tests.faults.chaos.faults import Breaking, kind
from tests.faults.chaos.network.network import LISTENER, NOWHERE, POSTGRES, REDIS
from tests.faults.chaos.network.toxic import ADDRESS, DOWN, MOVED_TO, UP, Toxic

LATEST = 1.6
"""Seconds that one way is late, at most."""
FORGED = 0.02
"""Seconds between two forged notifications."""
CUT = 0.1
"""Seconds between two cuts, at most."""
SERVERS = {POSTGRES: "PostgreSQL", LISTENER: "the listening connection", REDIS: "Redis"}


def unheard(toxic: Toxic, _: float) -> None:
    toxic.ways[DOWN].hold()


def deaf(toxic: Toxic, _: float) -> None:
    toxic.ways[UP].hold()


def late(toxic: Toxic, share: float) -> None:
    toxic.ways[UP].delay = toxic.ways[DOWN].delay = LATEST * share


def trickling(toxic: Toxic, _: float) -> None:
    toxic.ways[DOWN].trickles = True


def cut(toxic: Toxic, _: float) -> None:
    toxic.cut()


def half_closed(toxic: Toxic, _: float) -> None:
    toxic.half_close()


TOXICS: dict[str, Callable[[Toxic, float], None]] = {
    "is not heard": unheard,
    "hears nothing": deaf,
    "late": late,
    "trickles": trickling,
    "cut": cut,
    "half-closed": half_closed,
}


def some(here: Breaking) -> list[int]:
    """One process, or all."""
    return here.chance.choice([[here.process], list(range(len(here.site.ports)))])


def toxic_kind(server: str, how: str) -> None:
    @kind(f"{SERVERS[server]}: {how}")
    async def _(here: Breaking) -> AsyncIterator[None]:
        networks = [here.site.networks[number] for number in some(here)]
        for network in networks:
            TOXICS[how](network.between[server], here.chance.random())
        yield
        for network in networks:
            network.mend(server)


def nowhere_kind(server: str) -> None:
    @kind(f"{SERVERS[server]}: its name leads nowhere")
    async def _(here: Breaking) -> AsyncIterator[None]:
        networks = [here.site.networks[number] for number in some(here)]
        for network in networks:
            network.lead(server, NOWHERE)
            network.between[server].cut()
        yield
        for network in networks:
            network.mend(server)


def moved_kind(server: str) -> None:
    @kind(f"{SERVERS[server]}: at another address")
    async def _(here: Breaking) -> AsyncIterator[None]:
        """The old one says nothing any more, to whoever is connected, and leads there again afterwards."""
        networks = [here.site.networks[number] for number in some(here)]
        for network in networks:
            network.lead(server, MOVED_TO)
            network.between[server].abandon(ADDRESS)
        yield
        for network in networks:
            network.mend(server)


for each in SERVERS:
    for how in TOXICS:
        toxic_kind(each, how)
    nowhere_kind(each)
    moved_kind(each)


@kind("PostgreSQL: cut again and again")
async def cut_again(here: Breaking) -> AsyncIterator[None]:
    """Nobody can tell whether a COMMIT under way has happened: versions are read anew, while they are being read."""
    task = asyncio.create_task(cutting(here))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def cutting(here: Breaking) -> None:
    while True:
        for network in here.site.networks:
            network.between[POSTGRES].cut()
        # Connections are cut at random moments.
        await asyncio.sleep(here.chance.random() * CUT)


@kind("forged notifications")
async def forged(here: Breaking) -> AsyncIterator[None]:
    """Anybody who may connect may send them: of versions that nobody made, of clinics that are not there."""
    here.world.has_forged = True
    task = asyncio.create_task(forge(here))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def forge(here: Breaking) -> None:
    connection = await asyncpg.connect(here.site.database_url)
    try:
        while True:
            with suppress(asyncpg.PostgresError):
                await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload(here))
            await asyncio.sleep(FORGED)
    finally:
        connection.terminate()


def payload(here: Breaking) -> str:
    chance = here.chance
    version = chance.choice([-1, 0, 1, chance.randrange(2**40), 2**63 - 1, 2**63, 10**30])
    topic = chance.choice(["catalogs", "figures", "users", "*", "nothing", ""])
    clinic = chance.choice(["1", "2", "0", "-1", "999999", "*", "", "x"])
    return chance.choice([f"{clinic}/{topic}={version}", "poll", "", "=", "/", f"{clinic}/{topic}", "\u00f1" * 100])
