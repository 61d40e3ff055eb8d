"""How patients leave, beside the KPIs: SQL of what is read of a clinic `c`, and what it is made into.

The window is today and the 29 local days before, by the date of discharge; discharges that nobody recorded are left
out. It is read from rollups by the day of discharge, or from every discharge where those are in doubt, and where a
surgery and days of creation are asked for at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from sqlalchemy import Row

from core.dashboard.counted import CHANGES, IN_DAYS, OF_SURGERY, asked_days, of_surgery
from core.dashboard.views import DelayCount, Flow
from core.tickets.reads.figures import ACTIVE, BEFORE_NOON, CONDITIONS, LATELY, Figure

TOP_DELAYS = 10
THOUSANDTHS = 1000
"""Of a stay's ratio: each is cut off to whole ones, so that their sum is exact."""

OF_CLINIC = f"ticket.clinic_id = c.id AND {OF_SURGERY} AND {IN_DAYS}"


def microseconds(interval: str) -> str:
    """SQL: an interval as a whole number, exact up to decades."""
    return f"(date_part('epoch', {interval}) * 1000000)::bigint"


IS_ROLLED = "(c.is_rolled AND (c.surgery_id IS NULL OR (c.first IS NULL AND c.past IS NULL)))"
SUMS = ("gone", "early", "stay_thousandths", "waited", "wait_microseconds")
LEFT_LATELY = "left_day BETWEEN c.today_day - 29 AND c.today_day"
ROLLED = f"""
    SELECT {", ".join(SUMS)} FROM flow_rollup r
    WHERE {IS_ROLLED} AND r.clinic_id = c.id AND r.surgery_id = coalesce(c.surgery_id, 0) AND r.{LEFT_LATELY}
        AND r.span = CASE WHEN c.first IS NULL AND c.past IS NULL THEN 'all' ELSE 'day' END AND {asked_days("r.starts")}
    UNION ALL SELECT {", ".join(SUMS)} {CHANGES} AND {IS_ROLLED} AND t.{LEFT_LATELY}
"""  # noqa: S608  put together from constants of this file and of counted.py
LOST = "delay_minutes(d.set_at, d.ended_at, ticket.admission_at, ticket.discharged_at)"
OF_TICKET = "d.clinic_id = c.id AND d.ticket_id = ticket.id"
# Where rollups are read, the branches that count tickets stand behind a condition that is looked at once. Whatever the
# planner believes of the rows' numbers (MATERIALIZED, OFFSET), tickets are read by an index. Those who left are put
# beside the delays set in the window: of a FULL JOIN there is no nested loop. Only who was here before it is looked up
# one by one, for nobody is delayed before their ticket is there.
FLOW = f"""
WITH here AS MATERIALIZED (
    SELECT ticket.id, ticket.status, ticket.ready_at, ticket.long_stay_at FROM ticket WHERE {OF_CLINIC} AND {ACTIVE}
), gone AS MATERIALIZED (
    SELECT ticket.id, ticket.created_at, ticket.admission_at, ticket.surgery_base_hours, ticket.ready_at,
        ticket.discharged_at
    FROM ticket WHERE NOT {IS_ROLLED} AND {OF_CLINIC} AND {LATELY}
)
SELECT * FROM (
    SELECT count(*) FILTER (WHERE {CONDITIONS[Figure.READY_WAITING]}) AS ready_waiting,
        count(*) FILTER (WHERE {CONDITIONS[Figure.LONG_STAY]}) AS long_stay,
        min(ticket.long_stay_at) FILTER (WHERE ticket.long_stay_at > c.now) AS next_long_stay
    FROM here AS ticket
) AS staying CROSS JOIN (
    SELECT coalesce(sum(gone), 0)::bigint AS lately,
        {", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in SUMS[1:])}
    FROM (
        {ROLLED}
        UNION ALL SELECT count(*), count(*) FILTER (WHERE {BEFORE_NOON}),
            coalesce(sum({microseconds("ticket.discharged_at - ticket.admission_at")}
                / (ticket.surgery_base_hours * bigint '{3_600_000_000 // THOUSANDTHS}')), 0),
            count(ticket.ready_at), coalesce(sum({microseconds("ticket.discharged_at - ticket.ready_at")}), 0)
        FROM gone AS ticket
    ) AS added
) AS leaving CROSS JOIN (
    SELECT coalesce(jsonb_agg(jsonb_build_object('reason_id', id, 'reason', reason, 'tickets', tickets, 'lost', lost)
                              ORDER BY lost DESC, tickets DESC, reason COLLATE "C", id), '[]') AS delays
    FROM (
        SELECT reason.id, reason.reason, tickets, lost FROM (
            SELECT reason_id AS id, sum(tickets)::bigint AS tickets, sum(lost)::bigint AS lost FROM (
                SELECT d.reason_id, 1 AS tickets, 0 AS lost FROM here AS ticket CROSS JOIN LATERAL (
                    SELECT d.reason_id FROM delay d WHERE {OF_TICKET} AND d.ended_at IS NULL OFFSET 0
                ) AS d
                UNION ALL SELECT d.reason_id, 0, d.minutes FROM delayed_ticket d
                WHERE c.is_rolled AND d.clinic_id = c.id AND d.{LEFT_LATELY} AND {of_surgery("d")}
                    AND {asked_days("d.day")}
                UNION ALL SELECT d.reason_id, 0, CASE WHEN ticket.id IS NOT NULL THEN {LOST} ELSE 0 END FROM (
                    SELECT d.reason_id, d.ticket_id, d.set_at, d.ended_at FROM delay d
                    WHERE NOT c.is_rolled AND d.clinic_id = c.id AND d.set_at >= c.lately OFFSET 0
                ) AS d FULL JOIN (SELECT * FROM gone WHERE NOT c.is_rolled) AS ticket ON ticket.id = d.ticket_id
                UNION ALL SELECT d.reason_id, 0, {LOST} FROM gone AS ticket CROSS JOIN LATERAL (
                    SELECT d.reason_id, d.set_at, d.ended_at FROM delay d
                    WHERE {OF_TICKET} AND d.set_at < c.lately OFFSET 0
                ) AS d WHERE NOT c.is_rolled AND ticket.created_at < c.lately
            ) AS each GROUP BY 1
        ) AS counted JOIN standardized_reason reason USING (id) WHERE tickets > 0 OR lost > 0
        ORDER BY lost DESC, tickets DESC, reason COLLATE "C", id LIMIT {TOP_DELAYS}
    ) AS top
) AS delayed
"""  # noqa: S608  put together from constants of this file


@dataclass(frozen=True, slots=True)
class FlowSums:
    """What the flow's rates and means are made of."""

    lately: int
    early: int
    stay_thousandths: int
    waited: int
    wait_microseconds: int

    @classmethod
    def of_row(cls, row: Row[Any]) -> "FlowSums":
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})

    @classmethod
    def sum_of(cls, all_of: Iterable["FlowSums"]) -> "FlowSums":
        every = list(all_of)
        return cls(**{field.name: sum(getattr(one, field.name) for one in every) for field in fields(cls)})

    def flow(self, ready_waiting: int, long_stay: int, delays: Sequence["Delayed"]) -> Flow:
        """`delays`: in their order."""
        return Flow(
            early_discharge_rate=_ratio(self.early, self.lately, 4),
            ready_waiting=ready_waiting,
            mean_ready_wait_minutes=_ratio(self.wait_microseconds, 60_000_000 * self.waited, 1),
            long_stay=long_stay,
            stay_ratio=_ratio(self.stay_thousandths, THOUSANDTHS * self.lately, 2),
            delays=[one.count for one in delays],
        )


@dataclass(frozen=True, slots=True)
class Delayed:
    """A reason's delays, with the minutes that its hours are of, and that order it."""

    count: DelayCount
    minutes: int


def delayed(clinic_id: int, rows: Iterable[dict[str, Any]]) -> list[Delayed]:
    """Of a clinic's `delays`, as FLOW has them."""
    return [
        Delayed(
            DelayCount(
                clinic_id=clinic_id,
                reason_id=row["reason_id"],
                reason=row["reason"],
                tickets=row["tickets"],
                hours_lost=float(round(Fraction(row["lost"], 60), 1)),
            ),
            row["lost"],
        )
        for row in rows
    ]


def most_delayed(all_of: Iterable[Delayed]) -> list[Delayed]:
    """The network's, of all clinics' own."""
    return sorted(all_of, key=lambda one: (-one.minutes, -one.count.tickets, one.count.reason, one.count.reason_id))[
        :TOP_DELAYS
    ]


def _ratio(amount: int, of: int, digits: int) -> float | None:
    # Exact before it is rounded, so that the order of the clinics cannot matter.
    return float(round(Fraction(amount, of), digits)) if of else None
