"""Redis: reachable, of what kind, with room, and willing to do what the service asks of it.

The service answers without it, only slower; here it is a failure all the same.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from redis.exceptions import AuthenticationError, NoPermissionError, RedisClusterException, RedisError

from core import times
from core.cache.keys import Keys
from core.cache.tiers.address import client_of, is_cluster
from core.cache.tiers.trouble import is_refused_script
from core.operations.doctor.finding import Finding, failed, listed, ok, warning
from core.operations.doctor.servers.clocks import ClockReading, read

SERVER, ROOM, WRITES = "Redis", "Redis's memory", "Redis's answers"
TIMEOUT = 2.0
WITHIN = 8.0
"""Seconds for all of it, in a cluster too."""
SCRIPT = "return redis.call('GET', KEYS[1])"
TRIES = 9
EVICTING = ("allkeys-", "volatile-")
FORBIDDEN = "our user may not do all that is needed, or the server cannot"
GRANT = "grant it on its keys: ACL SETUSER … +@read +@write +@scripting +@connection +info +time"
OLD_PROTOCOL = "write ?protocol=2 behind REDIS_URL"
AWAY = "answers are made and kept in each process's own memory until it is back; start it, or correct REDIS_URL"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found out about Redis; its clock, where it could be asked."""

    findings: list[Finding]
    clock: ClockReading | None = None


async def look(url: str | None, prefix: str) -> Looked:
    """What is found of the server or the cluster at `url` (None: not configured) within WITHIN seconds, under keys that
    begin with `prefix`; and its clock, where it was reached. Raises nothing for a server that is away or refuses."""
    if url is None:
        return Looked([failed(SERVER, "no address", "set REDIS_URL")])
    try:
        client = client_of(url, timeout=TIMEOUT, connections=4)
    except ValueError:
        return Looked([failed(SERVER, "REDIS_URL is no address", "such as redis://host:6379/0")])
    try:
        async with asyncio.timeout(WITHIN):
            return await _look(client, is_cluster(url), Keys(prefix))
    except (RedisError, RedisClusterException, OSError, TimeoutError, LookupError, AttributeError) as error:
        # The last two are the cluster client's, for a node that it does not know.
        if _refuses_hello(error):
            return Looked([failed(SERVER, "it does not speak RESP3: it refuses HELLO", OLD_PROTOCOL)])
        if _caused_by(error, NoPermissionError):
            return Looked([failed(SERVER, FORBIDDEN, GRANT)])
        if _caused_by(error, AuthenticationError):
            seen = "it refuses the password in REDIS_URL, or that there is none"
            return Looked([failed(SERVER, seen, "correct it: redis://user:password@host:6379/0")])
        return Looked([failed(SERVER, f"does not answer ({type(error).__name__})", AWAY)])
    finally:
        await client.aclose()


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    return any(isinstance(one, kind) for one in _causes(error))


def _refuses_hello(error: BaseException) -> bool:
    """Whether it was refused as a server before Redis 6 refuses HELLO, a proxy that knows RESP2 only, or an ACL."""
    messages = [str(one).lower() for one in _causes(error) if isinstance(one, RedisError)]
    return any("noproto" in one or ("hello" in one and ("unknown" in one or "permission" in one)) for one in messages)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # Greeting a server fails as a connection does, and only the cause says why.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def _look(client: Any, clustered: bool, keys: Keys) -> Looked:
    if clustered:
        await client.initialize()
    nodes: list[Any] = client.get_primaries() if clustered else [None]
    servers: list[Mapping[str, Any]] = [await client.info(**_to(node)) for node in nodes]
    clock = await read(lambda: _time(client, nodes[0]))
    findings = [_kind(servers, clustered), _room(servers), await _writes(client, keys, clustered)]
    return Looked(findings, clock)


def _to(node: Any) -> dict[str, Any]:
    return {} if node is None else {"target_nodes": node}


async def _time(client: Any, node: Any) -> float:
    seconds, microseconds = await client.time(**_to(node))
    return float(seconds) + float(microseconds) / 1e6


def _kind(servers: Sequence[Mapping[str, Any]], clustered: bool) -> Finding:
    versions = sorted({_version(server) for server in servers})
    seen = listed(versions) + (f", a cluster of {len(servers)} primaries" if clustered else "")
    replicas = [server for server in servers if server.get("role") == "slave"]
    if replicas:
        return failed(SERVER, f"{seen}, a replica: it takes no writes", "let REDIS_URL name the primary")
    if not clustered and servers[0].get("cluster_enabled"):
        return failed(SERVER, f"{seen}, a cluster's node", "write REDIS_URL as redis+cluster://host:port")
    return ok(SERVER, seen)


def _version(server: Mapping[str, Any]) -> str:
    # Valkey gives the Redis it came from as `redis_version`.
    valkey = server.get("valkey_version")
    return f"Valkey {valkey}" if valkey else f"Redis {server.get('redis_version', 'of unknown version')}"


def _room(servers: Sequence[Mapping[str, Any]]) -> Finding:
    policies = {str(server.get("maxmemory_policy", "noeviction")) for server in servers}
    limits = [int(server.get("maxmemory", 0)) for server in servers]
    used = sum(int(server.get("used_memory", 0)) for server in servers)
    policy = "CONFIG SET maxmemory-policy allkeys-lru"
    if not all(limits):
        seen = f"{_mib(used)} used, without a limit: it grows until the machine has none left"
        return warning(ROOM, seen, f"CONFIG SET maxmemory 256mb, and {policy}")
    seen = f"{_mib(used)} of {_mib(sum(limits))} used, {listed(sorted(policies))}"
    if not all(one.startswith(EVICTING) for one in policies):
        return warning(ROOM, f"{seen}: once it is full it takes no more, and the cache stands still", policy)
    return ok(ROOM, seen)


def _mib(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"


async def _writes(client: Any, keys: Keys, clustered: bool) -> Finding:
    """What the cache and sessions do: SET with a time, GET, a script, DEL; on every primary."""
    took: list[float] = []
    try:
        for key in _keys(client, keys, clustered):
            await client.set(key, b"1", px=60_000)
            for _ in range(TRIES):
                started = perf_counter()
                await client.get(key)
                took.append(perf_counter() - started)
            await client.eval(SCRIPT, 1, key)
            await client.delete(key)
    except RedisError as error:
        if is_refused_script(error):
            return failed(WRITES, FORBIDDEN, GRANT)
        words = str(error).split(maxsplit=1) or [""]
        named = words[0] if words[0].isupper() else type(error).__name__
        return failed(WRITES, f"it refuses writes ({named})", "see its log: out of memory or disk, or a replica")
    usual = median(took)
    seen = f"a key was written, read and deleted; a read takes {usual * 1000:.1f} ms"
    if usual > times.REDIS / 2:
        slow = f"{seen}, and is given up after {times.REDIS * 1000:.0f}"
        return warning(WRITES, slow, "put it nearer, or see what it is busy with")
    return ok(WRITES, seen)


def _keys(client: Any, keys: Keys, clustered: bool) -> Sequence[str]:
    """One for each primary; several of one node do no harm."""
    return [keys.plain(f"doctor:{number}") for number in range(32)] if clustered else [keys.plain("doctor")]
