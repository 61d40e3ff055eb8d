"""The network's dashboard from the clinics' own: exactly, rates included."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from core.cache.fills.fill import Loaded
from core.clock import DEFAULT_ZONE, next_full_hour, shown, start_of_hour, zone
from core.dashboard.counted import TOP_DOCTORS, TOP_SURGERIES
from core.dashboard.flow import FlowSums, most_delayed
from core.dashboard.part import COUNTS, Part, Sums, hours_of, kpis_of, loaded, modifications_of
from core.dashboard.stats import RECENT
from core.dashboard.views import Dashboard

T = TypeVar("T")


def network_of(parts: Sequence[Part], now: datetime) -> Loaded:
    """The network's dashboard at `now`, of every clinic's part, for the cache to keep; as old as its oldest part.

    Days are each clinic's own; hours are merged by instant and shown in America/Santiago.
    """
    local = zone(DEFAULT_ZONE)
    dashboards = [part.dashboard for part in parts]
    first = start_of_hour(now, local)
    ahead: Counter[int] = Counter()
    for hour in (hour for dashboard in dashboards for hour in dashboard.by_hour):
        # In a zone half an hour off the hour that has begun counts as the current one.
        ahead[max(0, (hour.hour - first) // timedelta(hours=1))] += hour.discharges
    counts = {name: sum(getattr(dashboard.kpis, name) for dashboard in dashboards) for name in COUNTS}
    sums = Sums(
        timed=sum(part.sums.timed for part in parts),
        on_time=sum(part.sums.on_time for part in parts),
        delay_microseconds=sum(part.sums.delay_microseconds for part in parts),
    )
    flows = [dashboard.flow for dashboard in dashboards]
    flow = FlowSums.sum_of(part.flow for part in parts).flow(
        sum(one.ready_waiting for one in flows),
        sum(one.long_stay for one in flows),
        most_delayed(_all(part.delays for part in parts)),
    )
    hour_ends = next_full_hour(now + timedelta(microseconds=1), local)
    valid_until = min([hour_ends, *(part.valid_until for part in parts)])
    dated = _all(zip(part.newest, part.dashboard.recent_tickets, strict=True) for part in parts)
    recent = [ticket for _, ticket in sorted(dated, key=lambda one: (one[0], one[1].id), reverse=True)]
    network = Dashboard(
        clinic_id=None,
        generated_at=shown(now, local),
        valid_until=shown(valid_until, local),
        kpis=kpis_of(counts, sums),
        flow=flow,
        top_surgeries=sorted(
            _all(dashboard.top_surgeries for dashboard in dashboards),
            key=lambda one: (-one.tickets, one.name, one.surgery_id),
        )[:TOP_SURGERIES],
        doctors_by_modifications=sorted(
            _all(dashboard.doctors_by_modifications for dashboard in dashboards),
            key=lambda one: (-one.modifications, one.name, one.doctor_id),
        )[:TOP_DOCTORS],
        modifications=modifications_of(
            sum(dashboard.modifications.total for dashboard in dashboards),
            sum(dashboard.modifications.tickets for dashboard in dashboards),
            counts["total"],
        ),
        by_hour=hours_of(first, ahead, local),
        recent_tickets=[
            one.model_copy(update={name: shown(getattr(one, name), local) for name in ("current_fpa", "created_at")})
            for one in recent[:RECENT]
        ],
    )
    return loaded(network, valid_until, computed_at=min([now, *(part.computed_at for part in parts)]))


def _all(lists: Iterable[Iterable[T]]) -> list[T]:
    return [one for many in lists for one in many]
