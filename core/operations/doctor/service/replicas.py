"""Whether all that answer at an address answer, and alike: replicas and workers that hang or are not ready, releases
side by side, version maps that lag behind the database."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan

from prometheus_client.parser import text_string_to_metric_families

from core.operations.doctor.finding import Finding, failed, listed, ok, skipped, warning
from core.operations.doctor.service.asking import Service, ServiceAnswer, ServiceRequest, Silence

REPLICAS, RELEASES, VERSIONS, STATE = "Replicas", "Releases", "Version maps", "State"
TIMES = 16
"""How often each address is asked. Behind it may be several replicas: of two with as many connections each is met."""
AT_ONCE = 8
BOUND = 2.0
"""Seconds: no answer is older without a label."""
SILENT = 5.0
"""Seconds after which a worker that publishes nothing hangs: it does so each second."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Of one answer of /metrics: gauges without labels, and what is served there."""

    gauges: Mapping[str, float]
    release: str
    replica: str


async def many(service: Service, asked: ServiceRequest) -> list[ServiceAnswer | Silence]:
    """TIMES answers, AT_ONCE at a time."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one() -> ServiceAnswer | Silence:
        async with turns:
            return await service.ask(asked)

    return await asyncio.gather(*(one() for _ in range(TIMES)))


def look_at_readiness(url: str, answers: Sequence[ServiceAnswer | Silence]) -> Finding:
    """Failed where one hangs or refuses, or is not ready while another is; what they say of themselves."""
    silent = [one for one in answers if isinstance(one, Silence)]
    said = [one for one in answers if isinstance(one, ServiceAnswer)]
    if not said:
        return failed(REPLICAS, f"{url} does not answer ({silent[0].reason})", "start it, or correct the address")
    if silent:
        seen = f"{len(silent)} of {len(answers)} requests at {url} got no answer ({silent[0].reason})"
        return failed(REPLICAS, seen, "end the replica that hangs, and have /livez watched (docs/readiness.md)")
    strangers = [one for one in said if not one.is_ours]
    if strangers:
        seen = f"{len(strangers)} of {len(said)} answers of {url}/readyz are not the service's: {strangers[0].status}"
        return failed(REPLICAS, seen, "let the balancer lead there, and pass the answer's headers on")
    states = Counter(_state(one) for one in said)
    if set(states) == {"ready"}:
        return ok(REPLICAS, f"{len(said)} requests at {url}, each on a new connection, were answered alike")
    seen = listed([f"{count} × {state}" for state, count in states.most_common()])
    if len(states) > 1:
        return failed(REPLICAS, f"those behind {url} disagree: {seen}", "have the balancer ask /readyz; see their logs")
    return failed(REPLICAS, f"{url}: {seen}", "see the other lines, and the service's log")


def _state(answer: ServiceAnswer) -> str:
    said = answer.json()
    if answer.status != 200:
        return f"not ready ({said.get('detail', answer.status)})"
    away = [name for name in ("database", "redis") if said.get(name) != "ok"]
    return f"without {' and '.join(away)}" if away else "ready"


def samples_of(answers: Sequence[ServiceAnswer | Silence]) -> list[Sample]:
    """What each /metrics that was answered with 200 tells."""
    return [_sample(one.body.decode()) for one in answers if isinstance(one, ServiceAnswer) and one.status == 200]


def _sample(text: str) -> Sample:
    gauges, served = {}, {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if family.name == "ticket_home_build_info":
                served = sample.labels
            elif not sample.labels:
                gauges[sample.name] = sample.value
    return Sample(gauges, served.get("release", "unknown"), served.get("replica", "unknown"))


def look_at_metrics(url: str, answers: Sequence[ServiceAnswer | Silence], ours: str, rows: int | None) -> list[Finding]:
    """`ours`: this doctor's release. `rows`: of versions in the database, where that could be asked."""
    samples = samples_of(answers)
    if not samples:
        refused = any(isinstance(one, ServiceAnswer) and one.status == 401 for one in answers)
        seen = f"{url}/metrics is not shown" + (": METRICS_TOKEN here is not the service's" if refused else "")
        return [skipped(RELEASES, seen)]
    return [_releases(samples, ours), _versions(samples, rows), *_states(samples)]


def _releases(samples: Sequence[Sample], ours: str) -> Finding:
    releases: dict[str, list[str]] = {}
    for release, replica in sorted({(one.release, one.replica) for one in samples}):
        releases.setdefault(release, []).append(replica)
    seen = listed([f"{release} on {listed(replicas)}" for release, replicas in releases.items()])
    if len(releases) > 1:
        return warning(RELEASES, f"side by side: {seen}", "end the roll-out, or roll back; both are right meanwhile")
    if list(releases) != [ours]:
        return warning(RELEASES, f"{seen}; this doctor is of {ours}", "ask the doctor of the same release")
    return ok(RELEASES, f"{seen}, as this doctor")


def _versions(samples: Sequence[Sample], rows: int | None) -> Finding:
    worst = {
        name: max(one.gauges.get(f"ticket_home_{name}_seconds", 0.0) for one in samples)
        for name in ("cache_lease_age", "cache_version_lag", "canary_staleness")
    }
    late = {name: seconds for name, seconds in worst.items() if seconds > BOUND}
    if late:
        seen = ", ".join(f"{name.replace('_', ' ')} {seconds:.1f} s" for name, seconds in late.items())
        return failed(VERSIONS, f"a map is behind the database: {seen}", "see that replica's log")
    known = {int(one.gauges.get("ticket_home_cache_versions", 0)) for one in samples}
    if rows is not None and known != {rows}:
        seen = f"maps have {listed([str(count) for count in sorted(known)])} versions, the database {rows}"
        return failed(VERSIONS, seen, "see whether DATABASE_URL here is the service's; else ticket-home cache forget")
    same = "" if rows is None else f"; {rows} versions, as the database has them"
    return ok(VERSIONS, f"read {worst['cache_lease_age']:.1f} s ago at most{same}")


WRONG = (
    ("worker_silent_seconds", SILENT, inf, "a worker of {} hangs", "see its log; it is ended and replaced"),
    ("workers_missing", 0.5, inf, "a worker of {} serves nobody yet", "unless it has just been started, end it"),
    ("can_write", -inf, 0.5, "{} cannot write", "see PostgreSQL"),
    ("listener_connected", -inf, 0.5, "{} is not told of changes, and polls", "see its log, and CACHE_PUSH"),
    ("redis_breaker_open", 0.5, inf, "{} does without Redis", "see Redis"),
)
"""Gauges, and between which values each says that something is wrong."""


def _states(samples: Sequence[Sample]) -> list[Finding]:
    found = []
    for gauge, low, high, seen, remedy in WRONG:
        name = f"ticket_home_{gauge}"
        where = sorted({one.replica for one in samples if low < one.gauges.get(name, nan) < high})
        if where:
            found.append(warning(STATE, seen.format(listed(where)), remedy))
    return found
