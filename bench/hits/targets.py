"""What the table says of targets 1 and 2 of docs/design/performance.md."""

from collections.abc import Callable, Mapping
from functools import partial

from bench.hits import cases
from bench.hits.measure import Row
from bench.report.results import Target


class Unmeasured(Exception):
    """Its message says which row is void or was skipped."""


class Rows:
    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows = rows

    def rate(self, *names: str) -> float:
        """Answers a second; of several rows, the slowest's. Raises Unmeasured."""
        return min(self._row(name).figures.rate for name in names)

    def seconds(self, name: str) -> float:
        return 1 / self.rate(name)

    def open_p99(self, *names: str) -> float:
        """Milliseconds; of several rows, the slowest's. Raises Unmeasured."""
        found = [self._row(name).figures.open_p99 for name in names]
        if None in found or float("inf") in found:
            raise Unmeasured("no open loop")
        return max(one for one in found if one is not None)

    def cpu_ms(self, name: str) -> float:
        return self._row(name).figures.cpu / 1000

    def database_ms(self, name: str) -> float:
        return self._row(name).figures.database_cpu / 1000

    def _row(self, name: str) -> Row:
        row = self._rows.get(name)
        if row is None:
            raise Unmeasured(f"skipped: {name}")
        if row.figures.void:
            raise Unmeasured(f"void: {name}")
        return row


def targets(of: Mapping[str, Row]) -> list[Target]:
    rows = Rows(of)

    def ratio(over: Callable[[], float], under: Callable[[], float]) -> Callable[[], float]:
        return lambda: over() / under()

    def rates(name: str | tuple[str, ...], other: str) -> Callable[[], float]:
        names = (name,) if isinstance(name, str) else name
        return ratio(lambda: rows.rate(*names), lambda: rows.rate(other))

    def by_cpu(names: tuple[str, ...], other: str) -> Callable[[], float]:
        return ratio(lambda: rows.cpu_ms(other), lambda: max(rows.cpu_ms(name) for name in names))

    def round_trip() -> float:
        return rows.seconds(cases.REDIS_GET) - rows.seconds(cases.EMPTY)

    slowest = "the slowest of dashboard, catalog, bearer and cookie"
    wanted: list[tuple[int, str, Callable[[], float], float | None, bool]] = [
        (1, f"repeated heads, {slowest}: of raw ASGI", rates(cases.REPEATED, cases.RAW), 2.0, True),
        (1, "the same, of nginx with a static file", rates(cases.REPEATED, cases.STATIC), 0.5, True),
        (1, "the same, of starsessions + fastapi-cache2", rates(cases.REPEATED, cases.ASSEMBLED), 25, True),
        (1, "the same, of the empty route", rates(cases.REPEATED, cases.EMPTY), None, True),
        (1, "the same, of nginx's proxy_cache + auth_request", rates(cases.REPEATED, cases.BEHIND_A_LOGIN), None, True),
        (1, f"a browser's heads, {slowest}: of raw ASGI asked plainly", rates(cases.BROWSERS, cases.RAW), 1.3, True),
        (1, "the same, of raw ASGI with the same heads", rates(cases.BROWSERS, cases.RAW_BROWSER), None, True),
        (1, "by CPU: repeated heads, of raw ASGI", by_cpu(cases.REPEATED, cases.RAW), None, True),
        (
            1,
            "by CPU: a browser's heads, of raw ASGI with the same",
            by_cpu(cases.BROWSERS, cases.RAW_BROWSER),
            None,
            True,
        ),
        (
            1,
            "p99 in an open loop, repeated and browser: of raw ASGI's",
            ratio(
                lambda: rows.open_p99(cases.DASHBOARD, cases.BROWSER_COOKIE, cases.NOT_MODIFIED),
                lambda: rows.open_p99(cases.RAW),
            ),
            1.0,
            False,
        ),
        (1, "304, of 200, repeated", rates(cases.NOT_MODIFIED, cases.DASHBOARD), 1.0, True),
        (1, "304, of 200, browser", rates(cases.BROWSER_NOT_MODIFIED, cases.BROWSER_COOKIE), 1.0, True),
        (2, "routed hit, of the empty route", rates(cases.ROUTED, cases.EMPTY), 0.45, True),
        (2, "by CPU: routed hit, of the empty route", by_cpu((cases.ROUTED,), cases.EMPTY), None, True),
        (2, "hit in Redis, of fastapi-cache2's", rates(cases.REDIS_HIT, cases.CACHE_REDIS), 1.0, True),
        (
            2,
            "hit in Redis: its time, of 1.1 × the routed hit's + one Redis round trip",
            ratio(lambda: rows.seconds(cases.REDIS_HIT), lambda: 1.1 * rows.seconds(cases.ROUTED) + round_trip()),
            1.0,
            False,
        ),
        *(
            (2, f"{name}: CPU ms, {whose}", partial(of_whom, name), None, False)
            for name in (cases.BOARD, cases.TICKET, cases.CREATION, cases.MISS)
            for whose, of_whom in (("the service's", rows.cpu_ms), ("PostgreSQL's", rows.database_ms))
        ),
    ]
    return [_target(*each) for each in wanted]


def _target(number: int, text: str, figure: Callable[[], float], wanted: float | None, at_least: bool) -> Target:
    try:
        return Target(number, text, figure(), wanted, at_least)
    except Unmeasured as why:
        return Target(number, text, None, wanted, at_least, str(why))
