"""Looking at the cache and invalidating it, for the admin routes and the command line."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from core.cache.keys import policy_in
from core.cache.policy import TOPICS
from core.cache.processes import Processes, ProcessFigures
from core.cache.redis import RedisTier
from core.db.transaction import WriteSession
from core.errors import Invalid

WALKED = 20_000
"""Keys in Redis that are looked at at most to count a policy's entries."""
TIERS = ("memory", "redis", "database")


@dataclass(frozen=True, slots=True)
class TierFigures:
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
    """None where it cannot be told: Redis is away."""


def tier_figures(figures: ProcessFigures, in_redis: dict[str, tuple[int, int]] | None) -> list[TierFigures]:
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
    sizes = await redis.sizes(redis.keys.plain("{c*}:*"), WALKED)
    if sizes is None:
        return None
    found: dict[str, tuple[int, int]] = {}
    for key, size in sizes:
        entries, total = found.get(policy_in(key), (0, 0))
        found[policy_in(key)] = (entries + 1, total + size)
    return found


async def status(
    processes: Processes, redis: RedisTier
) -> tuple[ProcessFigures, list[TierFigures], dict[str, Any] | None]:
    """(sums, rows, Redis's own INFO or None)."""
    figures = await processes.sums()
    return figures, tier_figures(figures, await entries_in_redis(redis)), await redis.info()


async def invalidate(session: WriteSession, clinic_id: int | None, topic: str | None) -> None:
    """Bump one topic of one clinic, or all of what is None. It reaches every process as any other change does.

    Raises Invalid for a topic that does not exist.
    """
    if topic is not None and topic not in TOPICS:
        raise Invalid.field("topic", "invalid", f"One of {', '.join(TOPICS)}.")
    await session.execute(text("SELECT cache_invalidate(:clinic, :topic)"), {"clinic": clinic_id, "topic": topic})
