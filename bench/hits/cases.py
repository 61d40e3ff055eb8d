"""What is asked of whom: a case is a row of the table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.load.heads import HOST, Asked, in_turns, repeated, request, through_a_proxy

RAW = "raw ASGI, constant bytes"
RAW_BROWSER = "the same, a browser's heads"
EMPTY = "FastAPI route, constant bytes (empty route)"
REDIS_GET = "FastAPI route, one Redis GET"
STATIC = "nginx, a static file"
BEHIND_A_LOGIN = "nginx, proxy_cache + auth_request"
CACHE_REDIS = "fastapi-cache2, Redis hit"
ASSEMBLED = "starsessions + fastapi-cache2, Redis"
# The same over and over on each connection; then a browser's heads through a proxy.
DASHBOARD = "dashboard, bearer, repeated"
DASHBOARD_COOKIE = "dashboard, cookie, repeated"
CATALOG = "catalog, bearer, repeated"
NOT_MODIFIED = "dashboard, 304, repeated"
BROWSER = "dashboard, bearer, browser"
BROWSER_COOKIE = "dashboard, cookie, browser"
BROWSER_CATALOG = "catalog, cookie, browser"
BROWSER_NOT_MODIFIED = "dashboard, 304, browser"
REPEATED = (DASHBOARD, DASHBOARD_COOKIE, CATALOG)
BROWSERS = (BROWSER, BROWSER_COOKIE, BROWSER_CATALOG)
ROUTED = "dashboard, routed hit"
GRANIAN = "dashboard, routed hit, under granian"
REDIS_HIT = "dashboard, hit in Redis"
MISS = "dashboard, miss"
BOARD, TICKET, CREATION = "nursing board", "a ticket", "a ticket's creation"
DATABASE = (MISS, BOARD, TICKET, CREATION)

DASHBOARDS = ("/v1/dashboard", *(f"/v1/dashboard?date_from=2026-{month:02}-01" for month in range(1, 10)))
KEYS = 200
"""Where answers could be shared among those who wait for the same, there are more than connections."""
SESSION = {"Cookie": "session=0123456789abcdef0123456789abcdef"}
"""That bench/servers/peers.py opens."""
UNPREPARED = {"Range": "bytes=0-"}
"""Falls through to the router, which answers the same: only prepared answers ask that there be no range."""

Spread = Callable[[Sequence[Asked], int], list[Iterator[bytes]]]
"""What is asked, and over how many connections, as each connection's requests."""


@dataclass(frozen=True)
class Case:
    name: str
    asked: Sequence[Asked]
    spread: Spread = in_turns
    mark: bytes = b""
    """In every answer that is what the row is about, beside its status."""
    status: int = 200
    conditional: bool = False
    """Asked with the ETag that the answer had before."""
    fresh: Callable[[], Iterator[Asked]] | None = None
    """For what is asked once only: no two are the same, in all rounds."""
    opened: bool = False
    """Whether its p99 in an open loop is wanted, too."""
    connections: int = 32

    def requests(self, etags: Sequence[str]) -> list[Iterator[bytes]]:
        """As `etags`: of each of `asked`; empty where the case is not conditional."""
        if self.fresh is not None:
            return [(request(each, HOST) for each in self.fresh())] * self.connections
        asked = self.asked
        if self.conditional:
            asked = [
                Asked(each.target, {**each.headers, "If-None-Match": etag})
                for each, etag in zip(asked, etags, strict=True)
            ]
        return self.spread(asked, self.connections)

    def is_meant(self) -> Callable[[bytes], bool]:
        begins, mark = b"HTTP/1.1 %d" % self.status, self.mark
        return lambda answer: answer.startswith(begins) and mark in answer


@dataclass(frozen=True)
class Signed:
    """Demo administrators, a clinic each, signed in twice, and a ticket of each clinic."""

    bearers: Sequence[dict[str, str]]
    cookies: Sequence[dict[str, str]]
    tickets: Sequence[str]
    surgeries: Sequence[int]
    body: bytes = field(repr=False)
    """A dashboard of theirs, for the peers to answer with."""


def of_peers() -> dict[str, list[Case]]:
    """By the name of a factory in bench/servers/peers.py."""
    plain = [Asked("/", {})]
    keys = [Asked(f"/?key={key}", {}) for key in range(KEYS)]
    hit = b"x-fastapi-cache: HIT"
    return {
        "raw": [Case(RAW, plain, opened=True), Case(RAW_BROWSER, plain, through_a_proxy)],
        "starlette": [Case("Starlette route, constant bytes", plain)],
        "empty": [Case(EMPTY, plain, opened=True)],
        "redis_get": [Case(REDIS_GET, plain)],
        "fastapi_cache_memory": [Case("fastapi-cache2, memory hit", plain, mark=hit)],
        "cashews_memory": [Case("cashews, memory hit", keys)],
        "fastapi_cache_redis": [Case(CACHE_REDIS, plain, mark=hit)],
        "cashews_redis": [Case("cashews, Redis hit", keys)],
        "assembled": [Case(ASSEMBLED, [Asked("/", SESSION)], mark=hit, opened=True)],
    }


def of_nginx() -> tuple[Case, Case]:
    """A static file's; a cache's behind a login."""
    behind = Case(BEHIND_A_LOGIN, [Asked("/", SESSION)], mark=b"X-Cache: HIT")
    return Case(STATIC, [Asked("/figures.json", {})]), behind


def of_ours(signed: Signed) -> list[Case]:
    memory = b"detail=memory"
    few, catalog = DASHBOARDS[:4], ["/v1/surgeries"]
    dashboards, with_cookies = _by_all(signed.bearers, few), _by_all(signed.cookies, few)
    catalogs, catalogs_with_cookies = _by_all(signed.bearers, catalog), _by_all(signed.cookies, catalog)
    unprepared = _by_all([bearer | UNPREPARED for bearer in signed.bearers], few)
    return [
        Case(DASHBOARD, dashboards, repeated, memory, opened=True),
        Case(DASHBOARD_COOKIE, with_cookies, repeated, memory),
        Case(CATALOG, catalogs, repeated, memory),
        Case(NOT_MODIFIED, dashboards, repeated, memory, 304, conditional=True, opened=True),
        Case(BROWSER, dashboards, through_a_proxy, memory),
        Case(BROWSER_COOKIE, with_cookies, through_a_proxy, memory, opened=True),
        Case(BROWSER_CATALOG, catalogs_with_cookies, through_a_proxy, memory),
        Case(BROWSER_NOT_MODIFIED, with_cookies, through_a_proxy, memory, 304, conditional=True),
        Case(ROUTED, unprepared, mark=memory, opened=True),
    ]


def of_the_database(signed: Signed) -> list[Case]:
    """Few at once: it is the database's time that they show, not the wait for it."""
    days, numbers = _once(range(1, 13_000)), _once(range(10**7))

    def misses() -> Iterator[Asked]:
        for day in days:
            target = f"/v1/dashboard?date_from={1985 + day // 336}-{1 + day // 28 % 12:02}-{1 + day % 28:02}"
            yield from (Asked(target, bearer) for bearer in signed.bearers)

    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:00}"

    def creations() -> Iterator[Asked]:
        for number in numbers:
            at = number % len(signed.bearers)
            document = {"document_type": "passport", "document": f"BENCH{number}"}
            patient = document | {"first_name": "Ana", "last_name": "Soto"}
            ticket = {"patient": patient, "surgery_id": signed.surgeries[at], "surgery_at": tomorrow}
            yield Asked("/v1/tickets", signed.bearers[at], ticket)

    tickets = [Asked(f"/v1/tickets/{t}", b) for t, b in zip(signed.tickets, signed.bearers, strict=True)]
    return [
        Case(MISS, [], mark=b"fwd=miss", fresh=misses, connections=8),
        Case(BOARD, _by_all(signed.bearers, ["/v1/nursing-board"]), connections=8),
        Case(TICKET, tickets, connections=8),
        Case(CREATION, [], status=201, fresh=creations, connections=8),
    ]


def under_granian(signed: Signed) -> Case:
    return Case(GRANIAN, _by_all(signed.bearers, DASHBOARDS[:4]), mark=b"detail=memory")


def in_redis(signed: Signed) -> Case:
    """To a process whose memory keeps no entry, every request is the first for its key. Sessions it does hold."""
    return Case(REDIS_HIT, _by_all(signed.bearers, DASHBOARDS), mark=b"detail=redis")


def _by_all(credentials: Sequence[dict[str, str]], targets: Sequence[str]) -> list[Asked]:
    return [Asked(target, each) for target in targets for each in credentials]


def _once(numbers: range) -> Iterator[int]:
    """One iterator for all rounds, so that none meets a number again."""
    return iter(numbers)
