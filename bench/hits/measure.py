"""One row in one round; and the median over its rounds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import httpx

from bench.hits.cases import DATABASE, Case
from bench.hits.stand import Stand
from bench.load.closed import Measured, closed_loop
from bench.load.heads import HOST, request
from bench.load.one import exchanges
from bench.load.open import open_loop
from bench.servers.cores import Busy, cpu_seconds, waited_seconds

MOST_BUSY = 0.9
"""Of the load: above it, it is the load that is measured."""


@dataclass(frozen=True)
class Round:
    """Times are milliseconds, but `cpu`: microseconds of the server's processes for an answer."""

    rate: float
    p50: float
    p99: float
    cpu: float
    database_cpu: float
    """PostgreSQL's, where its work is what the row is about; else 0."""
    waited: float
    """Seconds in a second that the server was ready and had no core: other processes had it."""
    busy: float
    """Of the load, 0 to 1: at work, or waiting for its core."""
    size: int
    prepared: float | None
    """The share of the answers that went round the router; None where the server counts none."""
    void: str = ""
    open_p99: float | None = None


@dataclass(frozen=True)
class Row:
    """A case's rounds: the median of each figure by itself."""

    name: str
    is_ours: bool
    figures: Round

    @property
    def way(self) -> str:
        share = self.figures.prepared
        if share is None or self.name in DATABASE:
            return ""
        return "prepared" if share > 0.99 else "routed" if share < 0.01 else f"{share:.0%} prepared"


def measure(stand: Stand, *, seconds: float, warm: float) -> Round:
    """In a closed loop. A round in which anything was not as meant is void, and says why."""
    case = stand.case
    etags, sizes = warmed(stand.up.port, case)
    requests = case.requests(etags)
    processes = [stand.up.process, *([stand.beside] if stand.beside else [])]
    used, used_by_database = sum(map(cpu_seconds, processes)), _database_seconds(stand)
    waited, prepared, busy = sum(map(waited_seconds, processes)), prepared_hits(stand), Busy()
    began = perf_counter()
    measured = closed_loop(stand.up.port, requests, case.is_meant(), seconds=seconds, warm=warm)
    share = busy.share()
    waited = (sum(map(waited_seconds, processes)) - waited) / (perf_counter() - began)
    used = sum(map(cpu_seconds, processes)) - used
    used_by_database = _database_seconds(stand) - used_by_database
    answers = measured.answers + measured.warmed
    p50, p99 = quantiles(measured)
    return Round(
        rate=measured.answers / measured.seconds,
        p50=p50,
        p99=p99,
        cpu=used / answers * 1e6,
        database_cpu=used_by_database / answers * 1e6,
        waited=waited,
        busy=share,
        size=0 if case.status == 304 else round(median(sizes or [0])),
        prepared=None if prepared is None else ((prepared_hits(stand) or 0.0) - prepared) / answers,
        void=void(case, measured, share),
    )


def _database_seconds(stand: Stand) -> float:
    return 0.0 if stand.database is None else cpu_seconds(stand.database)


def measure_open(stand: Stand, *, rate: float, seconds: float) -> float:
    """p99 in milliseconds with `rate` requests a second; infinite where an answer was not as meant."""
    case = stand.case
    etags, _ = warmed(stand.up.port, case)
    measured = open_loop(stand.up.port, case.requests(etags), case.is_meant(), rate=rate, seconds=seconds)
    return float("inf") if measured.errors else quantiles(measured)[1]


def quantiles(measured: Measured) -> tuple[float, float]:
    times = sorted(measured.times)
    p50, p99 = (times[int(share * (len(times) - 1))] * 1000 for share in (0.5, 0.99))
    return p50, p99


def void(case: Case, measured: Measured, busy: float) -> str:
    if measured.errors:
        head = measured.unexpected.decode(errors="replace")
        return f"{measured.errors:,} of {measured.answers:,} answers were not as meant; the first:\n{head}"
    if busy > MOST_BUSY:
        return f"the load was {busy:.0%} busy"
    return ""


def warmed(port: int, case: Case) -> tuple[list[str], list[int]]:
    """Everything asked for twice, so that it is stored: the answers' ETags, and their bodies' sizes."""
    heads = [request(each, HOST) for each in case.asked]
    answers = list(exchanges(port, heads * 2))[len(heads) :]
    return [answer.header(b"etag") for answer in answers], [len(answer.body) for answer in answers]


def prepared_hits(stand: Stand) -> float | None:
    """How many answers of ours went round the router since the server started; None where it counts none."""
    if not stand.is_ours:
        return None
    text = httpx.get(f"http://127.0.0.1:{stand.up.port}/metrics").text
    counted = re.findall(r"^ticket_home_prepared_hits_total (\S+)$", text, re.MULTILINE)
    return float(counted[0]) if counted else None


def median_of(stand: Stand, rounds: Sequence[Round]) -> Row:
    """A row is void where one of its rounds is."""
    opened = [one.open_p99 for one in rounds if one.open_p99 is not None]
    figures = Round(
        rate=median(one.rate for one in rounds),
        p50=median(one.p50 for one in rounds),
        p99=median(one.p99 for one in rounds),
        cpu=median(one.cpu for one in rounds),
        database_cpu=median(one.database_cpu for one in rounds),
        waited=median(one.waited for one in rounds),
        busy=median(one.busy for one in rounds),
        size=rounds[0].size,
        prepared=None if rounds[0].prepared is None else median(one.prepared or 0.0 for one in rounds),
        void=next((one.void for one in rounds if one.void), ""),
        open_p99=median(opened) if opened else None,
    )
    return Row(stand.case.name, stand.is_ours, figures)
