"""The dashboard once more, in plain Python from the words of docs/design/domain.md: every row is read, and nothing is
shared with the service. Local days are told by local dates, not by their first instants."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.factories.rows import Connection

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
NETWORK_ZONE = ZoneInfo("America/Santiago")

Json = dict[str, Any]
Row = Any


def full_hour(instant: datetime, zone: ZoneInfo) -> datetime:
    """The local full hour at or before an instant, in zones whose offsets are whole hours or halves of one."""
    local = instant.astimezone(zone)
    return instant - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def block_end(fpa: datetime, zone: ZoneInfo) -> datetime:
    """0–29 minutes down, 30–59 up."""
    hour = full_hour(fpa, zone)
    return hour if fpa - hour < 30 * MINUTE else hour + HOUR


def next_midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """The first local hour of another date."""
    hour = full_hour(now, zone) + HOUR
    while hour.astimezone(zone).date() == now.astimezone(zone).date():
        hour += HOUR
    return hour


@dataclass(frozen=True)
class Ward:
    """All rows as they are; ask it for a dashboard at an instant."""

    zones: dict[int, ZoneInfo]
    tickets: list[Row]
    modifications: Counter[str]
    delays: list[Row]
    reasons: dict[int, Row]
    surgeries: dict[int, Row]
    doctors: dict[int, Row]

    @classmethod
    async def read(cls, connection: Connection) -> "Ward":
        async def named(table: str, name: str = "name") -> dict[int, Row]:
            found = await connection.fetch(f"SELECT id, clinic_id, {name} AS name FROM {table}")
            return {row["id"]: row for row in found}

        return cls(
            zones={r["id"]: ZoneInfo(r["timezone"]) for r in await connection.fetch("SELECT id, timezone FROM clinic")},
            tickets=await connection.fetch("SELECT * FROM ticket"),
            modifications=Counter(r["ticket_id"] for r in await connection.fetch("SELECT * FROM fpa_modification")),
            delays=await connection.fetch("SELECT * FROM delay"),
            reasons=await named("standardized_reason", "reason"),
            surgeries=await named("surgery"),
            doctors=await named("doctor"),
        )

    def dashboard(
        self,
        now: datetime,
        clinic_id: int | None = None,
        *,
        date_from: date | None = None,
        date_to: date | None = None,
        surgery_id: int | None = None,
    ) -> Json:
        """As JSON; `clinic_id` None is the network, where each ticket lives in its clinic's days."""
        now = now.astimezone(UTC)
        zones = self.zones if clinic_id is None else {clinic_id: self.zones[clinic_id]}
        shown = NETWORK_ZONE if clinic_id is None else self.zones[clinic_id]

        def local_date(row: Row, column: str) -> date:
            found: datetime = row[column]
            return found.astimezone(zones[row["clinic_id"]]).date()

        def today(row: Row) -> date:
            return now.astimezone(zones[row["clinic_id"]]).date()

        def iso(instant: datetime) -> str:
            return instant.astimezone(shown).isoformat(timespec="seconds")

        tickets = [
            row
            for row in self.tickets
            if row["clinic_id"] in zones
            and (surgery_id is None or row["surgery_id"] == surgery_id)
            and (date_from is None or local_date(row, "created_at") >= date_from)
            and (date_to is None or local_date(row, "created_at") <= date_to)
        ]
        active = [row for row in tickets if row["status"] == "active"]
        ahead = [row for row in active if row["current_fpa"] > now]
        discharged = [row for row in tickets if row["status"] == "discharged"]
        timed = [row for row in discharged if not row["discharge_assumed"]]
        on_time = [
            row
            for row in timed
            if row["discharged_at"] <= block_end(row["current_fpa"], zones[row["clinic_id"]])
        ]  # fmt: skip
        delays = [Fraction((row["discharged_at"] - row["current_fpa"]) // timedelta(microseconds=1)) for row in timed]

        def count(rows: Iterable[Row], holds: Callable[[Row], bool]) -> int:
            return sum(1 for row in rows if holds(row))

        kpis = {
            "active": len(ahead),
            "overdue": len(active) - len(ahead),
            "discharged": len(discharged),
            "annulled": count(tickets, lambda row: row["status"] == "annulled"),
            "total": len(tickets),
            "created_today": count(tickets, lambda row: local_date(row, "created_at") == today(row)),
            "created_this_week": count(
                tickets,
                lambda row: (
                    today(row) - timedelta(days=today(row).weekday()) <= local_date(row, "created_at") <= today(row)
                ),
            ),
            "created_this_month": count(
                tickets, lambda row: today(row).replace(day=1) <= local_date(row, "created_at") <= today(row)
            ),
            "near_deadline": count(ahead, lambda row: row["current_fpa"] - now <= DAY),
            "discharged_today": count(discharged, lambda row: local_date(row, "discharged_at") == today(row)),
            "on_time_rate": round(len(on_time) / len(timed), 4) if timed else None,
            "mean_delay_minutes": float(round(sum(delays, Fraction()) / len(delays) / 60_000_000, 1))
            if delays
            else None,
        }
        modified = [row for row in tickets if self.modifications[row["id"]]]
        total = sum(self.modifications[row["id"]] for row in modified)
        start = full_hour(now, shown)
        hours = [start + ahead_by * HOUR for ahead_by in range(48)]
        by_doctor: Counter[int] = Counter()
        for row in modified:
            by_doctor[row["doctor_id"]] += self.modifications[row["id"]]
        newest = sorted(tickets, key=lambda row: (row["created_at"], row["id"]), reverse=True)[:8]
        return {
            "clinic_id": clinic_id,
            "valid_until": iso(self.valid_until(now, zones, active)),
            "kpis": kpis,
            "flow": self.flow(now, zones, tickets),
            "top_surgeries": top(
                self.surgeries, Counter(row["surgery_id"] for row in tickets), 5, "surgery_id", "tickets"
            ),
            "doctors_by_modifications": top(self.doctors, by_doctor, 10, "doctor_id", "modifications"),
            "modifications": {
                "total": total,
                "tickets": len(modified),
                "per_ticket": float(round(Fraction(total, len(tickets)), 2)) if tickets else 0.0,
            },
            "by_hour": [
                {
                    "hour": iso(hour),
                    "discharges": count(ahead, lambda row, hour=hour: hour <= row["current_fpa"] < hour + HOUR),  # type: ignore[misc]
                }
                for hour in hours
            ],
            "recent_tickets": [
                {
                    "id": row["id"],
                    "clinic_id": row["clinic_id"],
                    "surgery_name": row["surgery_name"],
                    "status": row["status"],
                    "current_fpa": iso(row["current_fpa"]),
                    "created_at": iso(row["created_at"]),
                    "created_by": row["created_by"],
                }
                for row in newest
            ],
        }

    def flow(self, now: datetime, zones: dict[int, ZoneInfo], tickets: list[Row]) -> Json:
        def local(row: Row) -> datetime:
            left: datetime = row["discharged_at"]
            return left.astimezone(zones[row["clinic_id"]])

        def is_late(row: Row) -> bool:
            today = now.astimezone(zones[row["clinic_id"]]).date()
            return today - timedelta(days=29) <= local(row).date() <= today

        active = {row["id"]: row for row in tickets if row["status"] == "active"}
        left = {
            row["id"]: row
            for row in tickets
            if row["status"] == "discharged" and not row["discharge_assumed"] and is_late(row)
        }
        waits = [row["discharged_at"] - row["ready_at"] for row in left.values() if row["ready_at"]]
        ratios = [
            int((row["discharged_at"] - row["admission_at"]) / (row["surgery_base_hours"] * HOUR / 1000))
            for row in left.values()
        ]
        held: Counter[int] = Counter()
        minutes: Counter[int] = Counter()
        for delay in self.delays:
            if delay["ticket_id"] in active and delay["ended_at"] is None:
                held[delay["reason_id"]] += 1
            if row := left.get(delay["ticket_id"]):
                ended = min(delay["ended_at"] or row["discharged_at"], row["discharged_at"])
                lasted = ended - max(delay["set_at"], row["admission_at"])
                minutes[delay["reason_id"]] += max(0, lasted // MINUTE)
        found = [
            (-minutes[id_], -held[id_], self.reasons[id_]["name"], id_)
            for id_ in {*held, *minutes}
            if minutes[id_] or held[id_]
        ]
        early = sum(1 for row in left.values() if local(row).hour < 12)
        return {
            "early_discharge_rate": rounded(Fraction(early, len(left)), 4) if left else None,
            "ready_waiting": sum(1 for row in active.values() if row["ready_at"]),
            "mean_ready_wait_minutes": rounded(mean([Fraction(wait // TICK, 60_000_000) for wait in waits]), 1)
            if waits
            else None,
            "long_stay": sum(
                1 for row in active.values() if row["admission_at"] + 2 * row["surgery_base_hours"] * HOUR <= now
            ),
            "stay_ratio": rounded(mean([Fraction(ratio, 1000) for ratio in ratios]), 2) if ratios else None,
            "delays": [
                {
                    "clinic_id": self.reasons[id_]["clinic_id"],
                    "reason_id": id_,
                    "reason": name,
                    "tickets": -tickets_held,
                    "hours_lost": rounded(Fraction(-lost, 60), 1),
                }
                for lost, tickets_held, name, id_ in sorted(found)[:10]
            ],
        }

    @staticmethod
    def valid_until(now: datetime, zones: dict[int, ZoneInfo], active: list[Row]) -> datetime:
        moments: list[datetime] = [row["current_fpa"] for row in active] + [row["current_fpa"] - DAY for row in active]
        moments += [row["admission_at"] + 2 * row["surgery_base_hours"] * HOUR for row in active]
        for zone in zones.values():
            moments += [full_hour(now, zone) + HOUR, next_midnight(now, zone)]
        return min(moment for moment in moments if moment > now)


def rounded(value: Fraction, digits: int) -> float:
    return float(round(value, digits))


def mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction()) / len(values)


def top(named: dict[int, Row], counts: Counter[int], most: int, id_name: str, count_name: str) -> list[Json]:
    """By count, the highest first, then name, then id; what nobody counts is no row, nor what has no id."""
    found = [
        {"clinic_id": named[id_]["clinic_id"], id_name: id_, "name": named[id_]["name"], count_name: number}
        for id_, number in counts.items()
        if id_ is not None and number
    ]
    return sorted(found, key=lambda one: (-one[count_name], one["name"], one[id_name]))[:most]
