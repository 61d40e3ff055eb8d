"""How much Redis holds, and its own INFO, over all nodes of a cluster."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from core.cache.tiers.redis import RedisTier

STEP = 500
PAGES = 400
"""Steps of STEP keys that a walk through one server's keys takes at most."""


async def value_sizes(redis: RedisTier, pattern: str, at_most: int) -> list[tuple[str, int]] | None:
    """(key, bytes of its value) of keys that match, about `at_most` of each node; None where Redis is away.

    It goes through the keys in small steps, each within an operation's time.
    """
    answered, nodes = await redis.ask(redis.nodes)
    if not answered:
        return None
    found: list[tuple[str, int]] = []
    for node in nodes:
        cursor, looked = 0, 0
        for _ in range(PAGES):
            answered, page = await redis.ask(partial(_scan, redis.client, node, cursor, pattern))
            if not answered:
                return None
            cursor, keys = page
            answered, lengths = await redis.ask(partial(_lengths, redis.client, keys))
            if not answered:
                return None
            found += [(key.decode(errors="replace"), length) for key, length in lengths]
            looked += len(keys)
            if cursor == 0 or looked >= at_most:
                break
    return found


async def server_info(redis: RedisTier) -> list[dict[str, Any]] | None:
    """INFO of each server; None where Redis is away."""

    async def each() -> list[dict[str, Any]]:
        return [await redis.client.info(**_to(node)) for node in await redis.nodes()]

    answered, servers = await redis.ask(each)
    return servers if answered else None


async def _scan(client: Any, node: Any, cursor: int, pattern: str) -> tuple[int, list[bytes]]:
    at, keys = await client.scan(cursor, pattern, STEP, **_to(node))
    # A cluster's answer has a cursor for each node that was asked.
    return int(at[node.name] if node is not None else at), keys


async def _lengths(client: Any, keys: Sequence[bytes]) -> list[tuple[bytes, int]]:
    if not keys:
        return []
    async with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.strlen(key)
        lengths = await pipe.execute(raise_on_error=False)
    return [(key, length) for key, length in zip(keys, lengths, strict=True) if isinstance(length, int)]


def _to(node: Any) -> dict[str, Any]:
    return {} if node is None else {"target_nodes": node}
