"""A clinic's dashboard from its row of STATS, with what the network's needs of it beside."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from core.cache.entry import Entry
from core.cache.fills.fill import Loaded, utc
from core.clock import shown, zone
from core.dashboard.flow import Delayed, FlowSums, delayed
from core.dashboard.stats import HOURS
from core.dashboard.views import Dashboard, DoctorCount, Hour, Kpis, Modifications, RecentTicket, SurgeryCount

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

COUNTS = tuple(name for name, field in Kpis.model_fields.items() if field.annotation is int)
"""The KPIs that are read as they are, and added up for the network; rates are made of Sums."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What rates are made of: they cannot be merged from rates."""

    timed: int
    """Discharged at a time that somebody recorded."""
    on_time: int
    delay_microseconds: int

    @property
    def on_time_rate(self) -> float | None:
        return round(self.on_time / self.timed, 4) if self.timed else None

    @property
    def mean_delay_minutes(self) -> float | None:
        # Exact before it is rounded, so that the order of the clinics cannot matter.
        return float(round(Fraction(self.delay_microseconds, 60_000_000 * self.timed), 1)) if self.timed else None


@dataclass(frozen=True, slots=True)
class Part:
    """A clinic's dashboard with what the network's needs of it beside."""

    dashboard: Dashboard
    sums: Sums
    flow: FlowSums
    delays: Sequence[Delayed]
    computed_at: datetime
    valid_until: datetime
    """UTC, and exact: the answer shows whole seconds."""
    newest: Sequence[int]
    """When each of the recent tickets was created, epoch microseconds: seconds would not order them."""

    def loaded(self) -> Loaded:
        """For the cache to keep, with what `of_entry` reads beside the answer."""
        meta = {
            "sums": asdict(self.sums),
            "flow": asdict(self.flow),
            "minutes_lost": [one.minutes for one in self.delays],
            "newest": list(self.newest),
        }
        return loaded(self.dashboard, self.valid_until, meta=meta)

    @classmethod
    def of_entry(cls, entry: Entry) -> "Part":
        """What `loaded` gave the cache, from the entry that it made of it."""
        dashboard, meta = Dashboard.model_validate_json(entry.body), entry.meta
        assert entry.valid_until is not None, "a dashboard always ends"  # noqa: S101
        return cls(
            dashboard=dashboard,
            sums=Sums(**meta["sums"]),
            flow=FlowSums(**meta["flow"]),
            delays=list(map(Delayed, dashboard.flow.delays, meta["minutes_lost"])),
            newest=meta["newest"],
            computed_at=utc(entry.computed_at),
            valid_until=utc(entry.valid_until),
        )


def loaded(dashboard: Dashboard, valid_until: datetime, **more: Any) -> Loaded:
    """The answer for the cache to keep. Its ETag leaves out when it was computed, so that two replicas which count the
    same have the same ETag. `more`: other fields of Loaded."""
    return Loaded(
        dashboard.model_dump_json().encode(),
        valid_until,
        etag_source=dashboard.model_dump_json(exclude={"generated_at"}).encode(),
        **more,
    )


def part_of(row: Row[Any], now: datetime) -> Part:
    """A clinic's dashboard from its row of STATS."""
    local = zone(row.timezone)
    sums = Sums(row.timed, row.on_time, row.delay_microseconds)
    flow, delays = FlowSums.of_row(row), delayed(row.clinic_id, row.delays)
    clinic = {"clinic_id": row.clinic_id}
    recent = [
        RecentTicket.model_validate(
            clinic
            | one
            | {name: shown(datetime.fromisoformat(one[name]), local) for name in ("current_fpa", "created_at")}
        )
        for one in row.recent
    ]
    ahead = {int(hours): tickets for hours, tickets in row.by_hour.items()}
    dashboard = Dashboard(
        clinic_id=row.clinic_id,
        generated_at=shown(now, local),
        valid_until=shown(row.valid_until, local),
        kpis=kpis_of({name: getattr(row, name) for name in COUNTS}, sums),
        flow=flow.flow(row.ready_waiting, row.long_stay, delays),
        top_surgeries=[SurgeryCount.model_validate(clinic | one) for one in row.top_surgeries],
        doctors_by_modifications=[DoctorCount.model_validate(clinic | one) for one in row.top_doctors],
        modifications=modifications_of(row.modifications, row.modified_tickets, row.total),
        by_hour=hours_of(row.hour, ahead, local),
        recent_tickets=recent,
    )
    newest = [_microseconds(datetime.fromisoformat(one["created_at"])) for one in row.recent]
    return Part(dashboard, sums, flow, delays, now, row.valid_until, newest)


def kpis_of(counts: dict[str, int], sums: Sums) -> Kpis:
    """`counts` has those of COUNTS; the rates are made of `sums`."""
    return Kpis(**counts, on_time_rate=sums.on_time_rate, mean_delay_minutes=sums.mean_delay_minutes)


def modifications_of(total: int, tickets: int, in_scope: int) -> Modifications:
    per_ticket = float(round(Fraction(total, in_scope), 2)) if in_scope else 0.0
    return Modifications(total=total, tickets=tickets, per_ticket=per_ticket)


def hours_of(first: datetime, ahead: dict[int, int], local: ZoneInfo) -> list[Hour]:
    """The HOURS from the instant `first` on; `ahead` has the discharges by how many hours after it they are."""
    return [
        Hour(hour=shown(first + timedelta(hours=hours), local), discharges=ahead.get(hours, 0))
        for hours in range(HOURS)
    ]


def _microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)
