"""Redis behind a time limit and a circuit breaker: an operation answers within its budget, and none raises."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from core import times
from core.cache.keys import Keys
from core.cache.tiers.address import client_of, is_cluster
from core.cache.tiers.breaker import Breaker
from core.cache.tiers.time_limit import TimeLimit
from core.cache.tiers.trouble import Trouble, is_refused_script, is_wrong_type, named, trouble_of
from core.telemetry.log import logger

AT_ONCE = 32
"""Operations under way at once: a crowd's opening of 200 connections would take longer than the budget by itself."""


class RedisClient:
    """The one client of a process, of a server or a cluster. `errors`: operations that failed since the start."""

    def __init__(self, url: str, keys: Keys) -> None:
        self.keys = keys
        self.breaker = Breaker()
        self.errors = 0
        self.is_cluster = is_cluster(url)
        self.client: Any = client_of(url, timeout=times.REDIS_CONNECT, connections=2 * AT_ONCE)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ask(
        self, operation: Any, *args: Any, writes: bool = False, probing: bool = False, scripted: bool = False
    ) -> tuple[bool, Any]:
        """(True, what `operation(*args)` returned) within the budget; (False, None) where Redis is away.

        Also where the key holds what is no string, or our user may run no scripts (`scripted`): the server is well, the
        cache goes on without that operation, and the breaker would only open and close.
        """
        if self.breaker.is_open and not probing:
            return False, None
        queued = self._turns.locked()
        try:
            async with TimeLimit(times.REDIS_PROBE if probing else times.REDIS), self._turns:
                if self.breaker.is_open and not probing:
                    return False, None  # opened by one of those that this one waited for
                answer: Awaitable[Any] = operation(*args)
                value = await answer
        except Exception as error:  # noqa: BLE001  `trouble_of` raises what is none
            if is_wrong_type(error) or (scripted and is_refused_script(error)):
                self.errors += 1
                logger.warning("redis refuses an operation", detail=named(error))
                return False, None
            trouble = trouble_of(error, is_cluster=self.is_cluster)
            # A time-out after queueing says nothing of Redis: the budget went to the operations before this one, and
            # each of them was answered in time. It counts as a miss only. Where Redis hangs, operations that did not
            # queue time out too, and open the breaker.
            if trouble is not Trouble.TIMEOUT or not queued:
                self.errors += 1
                self.breaker.failed(trouble, named(error))
            return False, None
        if probing:
            self.breaker.close()
        else:
            # One node's success says nothing of the others: in a cluster only a probe of all closes the breaker.
            self.breaker.succeeded(wrote=writes and not self.is_cluster)
        return True, value

    async def nodes(self) -> list[Any]:
        """A cluster's primaries, as `target_nodes` takes them; of a single server None. Raises what redis-py raises."""
        if not self.is_cluster:
            return [None]
        await self.client.initialize()
        primaries: list[Any] = self.client.get_primaries()
        return primaries

    async def probe(self) -> None:
        """Write to every server: once at the start, so that a cluster's layout is known before the first request; then
        once a second while the breaker is open, which a write to all of them closes. Runs until cancelled."""
        await self.ask(self._write_to_all, probing=True)
        while True:
            await asyncio.sleep(times.REDIS_PROBE_EVERY)
            if self.breaker.is_open:
                await self.ask(self._write_to_all, probing=True)

    async def _write_to_all(self) -> bool:
        # A replica and a full server answer PING well, and refuse what we need.
        nodes = await self.nodes()
        # Half a cluster is none: every request to the other half would cost its client a budget.
        keys = self._key_of_each(nodes) if self.is_cluster else [self.keys.plain("probe")]
        await asyncio.gather(*(self.client.set(key, b"1", ex=60) for key in keys))
        return True

    def _key_of_each(self, nodes: Sequence[Any]) -> list[str]:
        found: dict[str, str] = {}
        for number in range(100 * len(nodes)):
            key = self.keys.plain(f"probe:{number}")
            found.setdefault(self.client.get_node_from_key(key).name, key)
            if len(found) == len(nodes):
                break
        return list(found.values())

    async def close(self) -> None:
        await self.client.aclose()
