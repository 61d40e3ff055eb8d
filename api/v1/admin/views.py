"""The cache as a superuser sees it."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from core.answer_model import AnswerModel


class PolicyTier(AnswerModel):
    """One policy in one tier, since the processes started. Who misses in memory asks Redis; there, the database."""

    model_config = ConfigDict(from_attributes=True)

    policy: str
    tier: Literal["memory", "redis", "database"]
    hits: int
    misses: int
    collapsed: int = Field(description="Requests that waited for another one's computation.")
    stale: int = Field(description="Answers labelled stale, while the database was away.")
    errors: int
    hit_rate: float | None = Field(description="Of those who asked this tier; null where nobody did.")
    entries: int | None = Field(description="Null where Redis cannot be asked.")
    bytes: int | None


class RedisStatus(AnswerModel):
    """Redis's own figures, null while it is away, and what this process makes of it."""

    available: bool
    breaker: Literal["closed", "open"]
    breaker_opened: int = Field(description="Times that this process stopped asking.")
    errors: int = Field(description="Operations that failed, in all processes.")
    memory_bytes: int | None
    max_memory_bytes: int | None
    connections: int | None
    keyspace_hits: int | None
    keyspace_misses: int | None
    hit_rate: float | None
    uptime_seconds: int | None


class Version(AnswerModel):
    clinic_id: int = Field(description="0: the network and global rows.")
    topic: str
    version: int


class CacheStatus(AnswerModel):
    processes: int = Field(description="Live processes that are summed here.")
    complete: bool = Field(description="False where not all could be asked.")
    policies: list[PolicyTier]
    redis: RedisStatus
    versions: list[Version]
    lease_age_seconds: float | None = Field(
        description="Since the versions were last read; over 2 a request reads them itself. Null before the first time."
    )
    listening: bool = Field(description="Whether this process hears of changes at once.")


CACHE_STATUS: dict[str, Any] = {
    "processes": 2,
    "complete": True,
    "policies": [
        {
            "policy": "dashboard",
            "tier": "memory",
            "hits": 940,
            "misses": 60,
            "collapsed": 12,
            "stale": 0,
            "errors": 0,
            "hit_rate": 0.94,
            "entries": 18,
            "bytes": 61200,
        }
    ],
    "redis": {
        "available": True,
        "breaker": "closed",
        "breaker_opened": 0,
        "errors": 0,
        "memory_bytes": 1982464,
        "max_memory_bytes": 268435456,
        "connections": 9,
        "keyspace_hits": 310,
        "keyspace_misses": 48,
        "hit_rate": 0.8659,
        "uptime_seconds": 86400,
    },
    "versions": [{"clinic_id": 5, "topic": "figures", "version": 48123987114}],
    "lease_age_seconds": 0.41,
    "listening": True,
}
