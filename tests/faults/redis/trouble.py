"""What an administrator, or a bad day, does to Redis; and how it is undone."""

import contextlib

import redis.asyncio as redis_client

from tests.support.servers.breakable import Breakable, command


async def make_replica(server: Breakable) -> None:
    await command(server.url, "REPLICAOF", "127.0.0.1", "1")


async def make_primary(server: Breakable) -> None:
    await command(server.url, "REPLICAOF", "NO", "ONE")


async def fill_up(server: Breakable) -> None:
    await command(server.url, "CONFIG", "SET", "maxmemory-policy", "noeviction")
    await command(server.url, "CONFIG", "SET", "maxmemory", "1")


async def make_room(server: Breakable) -> None:
    await command(server.url, "CONFIG", "SET", "maxmemory", "0")


async def set_password(server: Breakable) -> None:
    await command(server.url, "CONFIG", "SET", "requirepass", "another")
    with contextlib.suppress(Exception):
        await command(server.url, "CLIENT", "KILL", "TYPE", "normal", password="another")


async def drop_password(server: Breakable) -> None:
    await command(server.url, "CONFIG", "SET", "requirepass", "", password="another")


async def reach_maxclients(server: Breakable) -> None:
    # An administrator's connection stays: none other could be made to undo it.
    server.kept = redis_client.Redis.from_url(server.url, single_connection_client=True)
    await server.kept.config_set("maxclients", "1")
    await server.kept.client_kill_filter(_type="normal")


async def raise_maxclients(server: Breakable) -> None:
    assert server.kept is not None
    await server.kept.config_set("maxclients", "10000")
    await server.kept.aclose()


async def flush(server: Breakable) -> None:
    await command(server.url, "FLUSHALL")


async def write_garbage(server: Breakable) -> None:
    script = "for _, k in ipairs(redis.call('KEYS', '*')) do redis.call('SET', k, 'th1 00000000 garbage') end"
    await command(server.url, "EVAL", script, "0")
