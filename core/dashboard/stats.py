"""All of a dashboard's figures in one statement, for as many clinics as asked.

The statement is text, made once: building it from expressions costs as much as running it for a small clinic.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from core.db.transaction import ReadSession

TOP_SURGERIES = 5
TOP_DOCTORS = 10
RECENT = 8
HOURS = 48


def midnight(local: str) -> str:
    """SQL: the first instant of the local day that `local` (a timestamp at midnight) begins.

    Where the clock skips midnight PostgreSQL gives the change itself, as it should; where midnight comes twice, the
    later one.
    """
    at = f"(({local}) AT TIME ZONE timezone)"
    earlier = f"({at} - interval '1 hour')"
    return f"CASE WHEN {earlier} AT TIME ZONE timezone = ({local}) THEN {earlier} ELSE {at} END"


LOCAL_NOW = "CAST(:now AS timestamptz) AT TIME ZONE timezone"
DATE_FROM, DATE_TO = (f"CAST(CAST(:{name} AS date) AS timestamp)" for name in ("date_from", "date_to"))

OF_SURGERY = "(c.surgery_id IS NULL OR t.surgery_id = c.surgery_id)"
# In this form the dates are no index condition: the planner then reads the covering index, whatever is asked.
IN_SCOPE = f"""
    t.clinic_id = c.id AND {OF_SURGERY}
    AND (c.first IS NULL OR t.created_at >= c.first) AND (c.past IS NULL OR t.created_at < c.past)
"""
# In this one they are, for the newest tickets: it follows the index on creation and stops after a few.
BY_CREATION = f"""
    t.clinic_id = c.id AND {OF_SURGERY}
    AND t.created_at >= coalesce(c.first, '-infinity') AND t.created_at < coalesce(c.past, 'infinity')
"""
# The FPA rounded to the nearest full local hour is at most half an hour away. Most discharges are further off, and
# need no look at the zone: that would be a third of the statement's time.
ON_TIME = """
    discharged_at <= current_fpa + interval '30 minutes' AND (
        discharged_at <= current_fpa - interval '30 minutes'
        OR discharged_at <= date_trunc('hour', current_fpa + interval '30 minutes', c.timezone)
    )
"""

# Names and ids in "C" order: code points, as Python sorts them in a merge, whatever the database's collation is.
STATS = text(
    f"""
WITH c AS MATERIALIZED (
    SELECT id, timezone, CAST(:now AS timestamptz) AS now, CAST(:surgery_id AS integer) AS surgery_id,
        date_trunc('hour', CAST(:now AS timestamptz), timezone) AS hour,
        {midnight(f"date_trunc('day', {LOCAL_NOW})")} AS today,
        {midnight(f"date_trunc('day', {LOCAL_NOW}) + interval '1 day'")} AS tomorrow,
        {midnight(f"date_trunc('week', {LOCAL_NOW})")} AS week,
        {midnight(f"date_trunc('month', {LOCAL_NOW})")} AS month,
        {midnight(DATE_FROM)} AS first,
        {midnight(f"{DATE_TO} + interval '1 day'")} AS past
    FROM clinic WHERE id = ANY(:clinics)
)
SELECT c.id AS clinic_id, c.timezone, c.hour, surgery.clinic_id AS surgery_clinic_id, k.*,
    least(k.next_fpa, k.next_near, c.hour + interval '1 hour', c.tomorrow) AS valid_until,
    h.by_hour, s.top_surgeries, m.modifications, m.modified_tickets, m.top_doctors, r.recent
FROM c
LEFT JOIN surgery ON surgery.id = c.surgery_id
CROSS JOIN LATERAL (
    SELECT count(*) AS total,
        count(*) FILTER (WHERE status = 'active' AND current_fpa > c.now) AS active,
        count(*) FILTER (WHERE status = 'active' AND current_fpa <= c.now) AS overdue,
        count(*) FILTER (WHERE status = 'active' AND current_fpa > c.now
                         AND current_fpa <= c.now + interval '24 hours') AS near_deadline,
        count(*) FILTER (WHERE status = 'discharged') AS discharged,
        count(*) FILTER (WHERE status = 'annulled') AS annulled,
        count(*) FILTER (WHERE created_at >= c.today AND created_at < c.tomorrow) AS created_today,
        count(*) FILTER (WHERE created_at >= c.week AND created_at < c.tomorrow) AS created_this_week,
        count(*) FILTER (WHERE created_at >= c.month AND created_at < c.tomorrow) AS created_this_month,
        count(*) FILTER (WHERE discharged_at >= c.today AND discharged_at < c.tomorrow) AS discharged_today,
        count(*) FILTER (WHERE status = 'discharged' AND NOT discharge_assumed) AS timed,
        count(*) FILTER (WHERE status = 'discharged' AND NOT discharge_assumed AND {ON_TIME}) AS on_time,
        coalesce(extract(epoch FROM sum(discharged_at - current_fpa)
                 FILTER (WHERE status = 'discharged' AND NOT discharge_assumed)) * 1000000, 0)::bigint
            AS delay_microseconds,
        min(current_fpa) FILTER (WHERE status = 'active' AND current_fpa > c.now) AS next_fpa,
        min(current_fpa) FILTER (WHERE status = 'active' AND current_fpa > c.now + interval '24 hours')
            - interval '24 hours' AS next_near
    FROM ticket t WHERE {IN_SCOPE}
) AS k
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_object_agg(hours_ahead, tickets), '{{}}') AS by_hour
    FROM (
        SELECT floor(extract(epoch FROM t.current_fpa - c.hour) / 3600)::integer AS hours_ahead, count(*) AS tickets
        FROM ticket t
        WHERE t.status = 'active' AND t.current_fpa > c.now AND t.current_fpa < c.hour + interval '{HOURS} hours'
            AND {IN_SCOPE}
        GROUP BY 1
    ) AS hours
) AS h
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('surgery_id', id, 'name', name, 'tickets', tickets)
                              ORDER BY tickets DESC, name COLLATE "C", id), '[]') AS top_surgeries
    FROM (
        SELECT id, name, tickets
        FROM (SELECT t.surgery_id AS id, count(*) AS tickets FROM ticket t WHERE {IN_SCOPE} GROUP BY 1) AS counted
        JOIN surgery USING (id)
        ORDER BY tickets DESC, name COLLATE "C", id LIMIT {TOP_SURGERIES}
    ) AS top
) AS s
CROSS JOIN LATERAL (
    WITH by_doctor AS (
        SELECT t.doctor_id AS id, sum(of_ticket.modifications) AS modifications, count(*) AS tickets
        FROM (
            SELECT ticket_id AS id, count(*) AS modifications FROM fpa_modification WHERE clinic_id = c.id GROUP BY 1
        ) AS of_ticket
        JOIN ticket t USING (id) WHERE {IN_SCOPE} GROUP BY 1
    ), top AS (
        SELECT id, name, modifications FROM by_doctor JOIN doctor USING (id)
        ORDER BY modifications DESC, name COLLATE "C", id LIMIT {TOP_DOCTORS}
    )
    SELECT (SELECT coalesce(sum(modifications), 0)::bigint FROM by_doctor) AS modifications,
        (SELECT coalesce(sum(tickets), 0)::bigint FROM by_doctor) AS modified_tickets,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('doctor_id', id, 'name', name, 'modifications', modifications)
                                   ORDER BY modifications DESC, name COLLATE "C", id), '[]') FROM top) AS top_doctors
) AS m
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(to_jsonb(newest) ORDER BY created_at DESC, id COLLATE "C" DESC), '[]') AS recent
    FROM (
        SELECT t.id, t.surgery_name, t.status, t.current_fpa, t.created_at, t.created_by
        FROM ticket t WHERE {BY_CREATION} ORDER BY t.created_at DESC, t.id COLLATE "C" DESC LIMIT {RECENT}
    ) AS newest
) AS r
"""  # noqa: S608  put together from constants of this file
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which tickets every figure counts. Dates are local dates of creation, inclusive, each clinic's own; None does not
    limit."""

    date_from: date | None = None
    date_to: date | None = None
    surgery_id: int | None = None

    def parameters(self) -> dict[str, str | int | None]:
        """The filters as they stand in a cache entry's key."""
        return {
            "date_from": self.date_from.isoformat() if self.date_from else None,
            "date_to": self.date_to.isoformat() if self.date_to else None,
            "surgery_id": self.surgery_id,
        }


async def read_stats(
    session: ReadSession, clinics: Collection[int], now: datetime, filters: Filters
) -> dict[int, Row[Any]]:
    """Clinic → its row of STATS; a clinic that does not exist is absent."""
    found = await session.execute(
        STATS,
        {
            "clinics": list(clinics),
            "now": now,
            "date_from": filters.date_from,
            "date_to": filters.date_to,
            "surgery_id": filters.surgery_id,
        },
    )
    return {row.clinic_id: row for row in found}
