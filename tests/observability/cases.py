"""For each alert, series under which it fires and series under which it does not."""

from dataclasses import dataclass
from typing import Final

COUNT, BUCKET = "ticket_home_request_seconds_count", "ticket_home_request_seconds_bucket"
DAY: Final = 24 * 60


@dataclass(frozen=True)
class Case:
    alert: str
    minutes: int
    """For which the series go on."""
    fires: dict[str, str]
    """Series → its values, one a minute, in promtool's notation but for how many there are."""
    quiet: dict[str, str]


def answers(status: int, each_minute: int) -> dict[str, str]:
    return {f'{COUNT}{{route="/v1/dashboard",status="{status}"}}': f"0+{each_minute}"}


def errors(each_thousand: int, *, route: str = "/v1/tickets") -> dict[str, str]:
    return answers(200, 1000) | {f'{COUNT}{{route="{route}",status="503"}}': f"0+{each_thousand}"}


def slow(each_thousand: int, *, route: str = "/v1/dashboard") -> dict[str, str]:
    within = f'{BUCKET}{{route="{route}",le="0.25"}}'
    return {f'{COUNT}{{route="{route}"}}': "0+1000", within: f"0+{1000 - each_thousand}"}


def reads(hits: int, misses: int, policy: str = "dashboard") -> dict[str, str]:
    of = f'ticket_home_cache_reads_total{{policy="{policy}"'
    return {f'{of},outcome="hit"}}': f"0+{hits}", f'{of},outcome="miss"}}': f"0+{misses}"}


def gauge(name: str, fires: float, quiet: float, minutes: int = 20, alert: str = "") -> Case:
    series = f'ticket_home_{name}{{instance="one"}}'
    return Case(alert, minutes, {series: f"{fires}+0"}, {series: f"{quiet}+0"})


def counter(name: str, fires: float, quiet: float, alert: str) -> Case:
    """Counts in each minute."""
    return Case(alert, 20, {f"ticket_home_{name}": f"0+{fires}"}, {f"ticket_home_{name}": f"0+{quiet}"})


UP = 'up{job="ticket-home",instance="one"}'
WRITES = 'ticket_home_can_write{instance="%s"}'
BUILD = 'ticket_home_build_info{release="%s",instance="%s"}'
STARTED, WORKERS = "ticket_home_workers_started_total", "ticket_home_workers"
WAITS = 'ticket_home_database_waits_total{outcome="given"}'

CASES = (
    Case("Errors", 70, errors(30), errors(1)),
    Case("Errors", 70, errors(30), errors(30, route="/readyz")),
    # An hour ago, and over by now: nobody gets up for it.
    Case("Errors", 70, errors(30), answers(200, 1000) | {f'{COUNT}{{status="503"}}': "0+100x20 2000+0"}),
    Case("Errors", 7 * 60, errors(8), errors(4)),
    Case("ErrorsSlowly", 9 * 60, errors(3), errors(0)),
    Case("Slow", 70, slow(200), slow(10)),
    Case("Slow", 70, slow(200), slow(900, route="/v1/exports/full.zip")),
    # A stream of events is open for a quarter of an hour.
    Case("Slow", 70, slow(200), slow(900, route="/v1/events")),
    Case("SlowSlowly", 9 * 60, slow(20), slow(5)),
    Case("FewHits", 90, reads(60, 40), reads(80, 20)),
    # A night without readers, and the canary's own misses, are nobody's.
    Case("FewHits", 90, reads(60, 40), reads(0, 100, policy="canary") | reads(0, 0)),
    counter('canary_reads_total{outcome="stale"}', 1, 0, "StaleAnswers"),
    Case("NoReplica", 20, {UP: "0+0"}, {UP: "1+0"}),
    Case("NoReplica", 20, {"another": "1+0"}, {UP: "1+0", UP.replace("one", "two"): "0+0"}),
    Case("ReplicaAway", 20, {UP: "0+0", UP.replace("one", "two"): "1+0"}, {UP: "1+0"}),
    Case("DatabaseAway", 20, {WRITES % 1: "0+0", WRITES % 2: "0+0"}, {WRITES % 1: "0+0", WRITES % 2: "1+0"}),
    Case("CannotWrite", 20, {WRITES % 1: "0+0", WRITES % 2: "1+0"}, {WRITES % 1: "0+0", WRITES % 2: "0+0"}),
    gauge("cache_lease_age_seconds", 2.5, 1.2, alert="LeaseLapsed"),
    gauge("cache_version_lag_seconds", 1.9, 0.01, alert="VersionsLate"),
    gauge("listener_connected", 0, 1, alert="NotPushed"),
    gauge("redis_breaker_open", 1, 0, alert="RedisAway"),
    counter("redis_foreign_values_total", 1, 0, "ForeignValues"),
    gauge("canary_silent_seconds", 40, 6, alert="CanarySilent"),
    gauge("canary_silent_seconds", 40, 0, alert="CanarySilent"),
    gauge("event_lag_seconds", 1.5, 0.2, alert="EventsLate"),
    counter("event_streams_refused_total", 1, 0, "EventsRefused"),
    gauge("event_loop_lag_seconds", 0.8, 0.1, alert="LoopHeldUp"),
    gauge("worker_silent_seconds", 20, 1, alert="WorkerSilent"),
    gauge("workers_missing", 1, 0, alert="WorkerMissing"),
    # Being replaced now and then: each time it starts within a minute or two.
    Case(
        "WorkerMissing",
        20,
        {'ticket_home_workers_missing{instance="one"}': "1+0"},
        {'ticket_home_workers_missing{instance="one"}': "0+0x9 1 0+0"},
    ),
    Case("WorkersReplaced", 30, {STARTED: "2+1", WORKERS: "2+0"}, {STARTED: "2+0", WORKERS: "2+0"}),
    # A deploy, after a day in which some were replaced.
    Case("WorkersReplaced", 20, {STARTED: "2+1", WORKERS: "2+0"}, {STARTED: "9+0x12 4+0", WORKERS: "4+0"}),
    Case(
        "PoolWaits",
        20,
        {"ticket_home_database_wait_seconds_total": "0+20", WAITS: "0+100"},
        {"ticket_home_database_wait_seconds_total": "0+1", WAITS: "0+100"},
    ),
    gauge("cache_fills_queued", 3, 0, alert="FillsQueue"),
    counter("log_lines_dropped_total", 1, 0, "LogLinesDropped"),
    counter('password_attempts_total{outcome="wrong"}', 120, 3, "PasswordsGuessed"),
    counter('password_attempts_total{outcome="refused"}', 120, 3, "PasswordsGuessed"),
    Case(
        "SeveralReleases",
        90,
        {BUILD % ("1", "one"): "1+0", BUILD % ("2", "two"): "1+0"},
        {BUILD % ("1", "one"): "1+0", BUILD % ("1", "two"): "1+0"},
    ),
)
