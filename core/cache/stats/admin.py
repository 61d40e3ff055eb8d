"""What the admin routes and the command line show of the cache, and how they invalidate it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from core.access import Actor
from core.audit.record import record
from core.cache.keys import FILL_LEASE, policy_in
from core.cache.policy import TOPICS
from core.cache.stats.published import PublishedStats, StatsTotals
from core.cache.stats.redis_usage import server_info, value_sizes
from core.cache.tiers.redis import RedisTier
from core.cache.versions.timeline import NEW
from core.db.transaction import WriteSession
from core.errors import Invalid

MOST_KEYS = 20_000
"""Keys in Redis that are counted at most."""
TIERS = ("memory", "redis", "database")
CLINIC = text("SELECT EXISTS (SELECT 1 FROM clinic WHERE id = :clinic)")
INVALIDATE = text("SELECT cache_invalidate(CAST(:clinic AS integer), CAST(:topic AS text))")


@dataclass(frozen=True, slots=True)
class TierFigures:
    """How one policy's reads fared in one tier, since the processes started."""

    policy: str
    tier: str
    hits: int
    misses: int
    collapsed: int
    stale: int
    errors: int
    hit_rate: float | None
    """Hits among those who asked this tier; None where nobody did. The database hits nothing: it is asked last."""
    entries: int | None
    bytes: int | None
    """None where Redis is away."""


def tier_figures(figures: StatsTotals, in_redis: dict[str, tuple[int, int]] | None) -> list[TierFigures]:
    """One row per policy and tier. Who misses in memory asks Redis, who misses there asks the database."""
    policies = sorted({policy for policy, _, _ in figures.counts} | set(figures.memory) | set(in_redis or {}))
    found: list[TierFigures] = []
    for policy in policies:
        counts = {key[1:]: count for key, count in figures.counts.items() if key[0] == policy}
        computed = counts.get(("miss", "database"), 0)
        held = {
            "memory": figures.memory.get(policy, (0, 0)),
            "redis": (None, None) if in_redis is None else in_redis.get(policy, (0, 0)),
            "database": (0, 0),
        }
        misses = {
            "memory": sum(counts.values()) - counts.get(("hit", "memory"), 0),
            "redis": computed + counts.get(("error", "database"), 0),
            "database": computed,
        }
        for tier in TIERS:
            hits = counts.get(("hit", tier), 0)
            asked = hits + misses[tier]
            entries, size = held[tier]
            found.append(
                TierFigures(
                    policy=policy,
                    tier=tier,
                    hits=hits,
                    misses=misses[tier],
                    collapsed=counts.get(("collapsed", tier), 0),
                    stale=counts.get(("stale", tier), 0),
                    errors=counts.get(("error", tier), 0),
                    hit_rate=round(hits / asked, 4) if asked and tier != "database" else None,
                    entries=entries,
                    bytes=size,
                )
            )
    return found


async def entries_in_redis(redis: RedisTier) -> dict[str, tuple[int, int]] | None:
    """Policy → (entries, bytes); None where Redis is away."""
    keys = await value_sizes(redis, redis.keys.plain("{c*}:*"), MOST_KEYS)
    if keys is None:
        return None
    found: dict[str, tuple[int, int]] = {}
    for key, size in keys:
        policy = policy_in(key)
        if policy != FILL_LEASE:
            entries, total = found.get(policy, (0, 0))
            found[policy] = (entries + 1, total + size)
    return found


@dataclass(frozen=True, slots=True)
class RedisFigures:
    """Redis's own, of its INFO, a cluster's primaries summed. Sizes are bytes; `max_memory_bytes` None: no
    limit, or not on every server."""

    memory_bytes: int
    max_memory_bytes: int | None
    connections: int
    keyspace_hits: int
    keyspace_misses: int
    hit_rate: float | None
    uptime_seconds: int
    """Of the server that was started last."""


def redis_figures(servers: Sequence[Mapping[str, Any]]) -> RedisFigures:
    def total(name: str) -> int:
        return sum(int(server.get(name, 0)) for server in servers)

    hits, misses = total("keyspace_hits"), total("keyspace_misses")
    limited = all(int(server.get("maxmemory", 0)) for server in servers)
    return RedisFigures(
        memory_bytes=total("used_memory"),
        max_memory_bytes=total("maxmemory") if limited else None,
        connections=total("connected_clients"),
        keyspace_hits=hits,
        keyspace_misses=misses,
        hit_rate=round(hits / (hits + misses), 4) if hits + misses else None,
        uptime_seconds=min(int(server.get("uptime_in_seconds", 0)) for server in servers),
    )


@dataclass(frozen=True, slots=True)
class CacheReport:
    """What an administrator is shown of the cache."""

    figures: StatsTotals
    """Summed over the live processes."""
    rows: list[TierFigures]
    redis: RedisFigures | None
    """None: it is away."""


async def status(published: PublishedStats, redis: RedisTier) -> CacheReport:
    figures = await published.sums()
    servers = await server_info(redis)
    return CacheReport(
        figures=figures,
        rows=tier_figures(figures, await entries_in_redis(redis)),
        redis=redis_figures(servers) if servers else None,
    )


async def forget(session: WriteSession, actor: Actor) -> bool:
    """Have every process forget all that it keeps, answers for when the database is away included: another timeline
    begins. False where the triggers that stamp versions are not whole: nothing is kept then."""
    begun = await session.scalar(NEW, {"in_any_case": True})
    if begun:
        await record(session, actor, "cache.forgotten", "cache", "*/*", clinic_id=None)
    return bool(begun)


async def invalidate(session: WriteSession, actor: Actor, clinic_id: int | None, topic: str | None) -> None:
    """Bump one topic of one clinic, or all of what is None. It reaches every process as any other change does.

    Raises Invalid for a clinic or a topic that does not exist.
    """
    if topic is not None and topic not in TOPICS:
        raise Invalid.field("topic", "invalid", f"One of {', '.join(TOPICS)}.")
    if clinic_id is not None and not (await session.execute(CLINIC, {"clinic": clinic_id})).scalar_one():
        raise Invalid.field("clinic_id", "unknown_reference", "There is no such clinic.")
    await session.execute(INVALIDATE, {"clinic": clinic_id, "topic": topic})
    target = f"{clinic_id or '*'}/{topic or '*'}"
    await record(session, actor, "cache.invalidated", "cache", target, clinic_id=clinic_id)
