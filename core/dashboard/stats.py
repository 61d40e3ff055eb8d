"""All of a dashboard's figures in one statement, for as many clinics as asked.

The statement is text, made once: building it from expressions costs as much as running it for a small clinic.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from core.dashboard.counted import COLUMNS, IS_ROLLED, PARTS, ROLLED, TICKETS
from core.dashboard.flow import FLOW, OF_CLINIC
from core.db.transaction import ReadSession
from core.tickets.reads.figures import CONDITIONS, LOCAL_NOW, MOMENTS, Figure, midnight

RECENT = 8
HOURS = 48


DATE_FROM, DATE_TO = (f"CAST(CAST(:{name} AS date) AS timestamp)" for name in ("date_from", "date_to"))

# In this form dates are index conditions: the newest tickets' scan follows an index on creation and stops after a few.
BY_CREATION = """
    clinic_id = c.id AND created_at >= coalesce(c.first, '-infinity') AND created_at < coalesce(c.past, 'infinity')
"""
SHOWN = "id, surgery_name, status, current_fpa, created_at, created_by"
NEWEST = f'ORDER BY created_at DESC, id COLLATE "C" DESC LIMIT {RECENT}'

# Names and ids in "C" order: code points, as Python sorts them in a merge, whatever the database's collation is.
STATS = text(
    f"""
WITH moment AS (SELECT CAST(:now AS timestamptz) AS now), c AS MATERIALIZED (
    SELECT clinic.id, clinic.timezone, CAST(:surgery_id AS integer) AS surgery_id, {IS_ROLLED} AS is_rolled,
        {", ".join(f"{sql} AS {name}" for name, sql in MOMENTS.items())},
        {midnight(DATE_FROM)} AS first,
        {midnight(f"{DATE_TO} + interval '1 day'")} AS past,
        CAST({LOCAL_NOW} AS date) AS today_day,
        CAST({LOCAL_NOW} AS date) + 1 AS tomorrow_day,
        CAST(date_trunc('week', {LOCAL_NOW}) AS date) AS week_day,
        CAST(date_trunc('month', {LOCAL_NOW}) AS date) AS month_day
    FROM clinic CROSS JOIN moment WHERE clinic.id = ANY(:clinics)
), parts AS ({PARTS})
SELECT c.id AS clinic_id, c.timezone, c.hour, c.is_rolled, surgery.clinic_id AS surgery_clinic_id,
    {", ".join(f"k.{name}" for name in COLUMNS if name != "active")},
    a.ahead AS active, k.active - a.ahead AS overdue, a.near_deadline, a.by_hour, r.recent,
    o.discharged_today, f.*,
    least(a.next_fpa, a.next_near, f.next_long_stay, c.hour + interval '1 hour', c.tomorrow) AS valid_until
FROM c
LEFT JOIN surgery ON surgery.id = c.surgery_id
CROSS JOIN LATERAL ({ROLLED} UNION ALL {TICKETS}) AS k
CROSS JOIN LATERAL (
    WITH ahead AS MATERIALIZED (
        SELECT status, current_fpa FROM ticket
        WHERE {CONDITIONS[Figure.ACTIVE]} AND {OF_CLINIC}
    )
    SELECT count(*) AS ahead, count(*) FILTER (WHERE {CONDITIONS[Figure.NEAR_DEADLINE]}) AS near_deadline,
        min(current_fpa) AS next_fpa,
        min(current_fpa) FILTER (WHERE current_fpa > c.now + interval '24 hours') - interval '24 hours' AS next_near,
        (
            SELECT coalesce(jsonb_object_agg(hours_ahead, tickets), '{{}}') FROM (
                SELECT floor(extract(epoch FROM current_fpa - c.hour) / 3600)::integer AS hours_ahead,
                    count(*) AS tickets
                FROM ahead WHERE current_fpa < c.hour + interval '{HOURS} hours' GROUP BY 1
            ) AS hours
        ) AS by_hour
    FROM ahead AS ticket
) AS a
CROSS JOIN LATERAL (
    SELECT count(*) AS discharged_today FROM ticket WHERE {OF_CLINIC} AND {CONDITIONS[Figure.DISCHARGED_TODAY]}
) AS o
CROSS JOIN LATERAL ({FLOW}) AS f
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(to_jsonb(newest) ORDER BY created_at DESC, id COLLATE "C" DESC), '[]') AS recent
    FROM (
        (SELECT {SHOWN} FROM ticket WHERE c.surgery_id IS NULL AND {BY_CREATION} {NEWEST})
        UNION ALL
        (SELECT {SHOWN} FROM ticket WHERE surgery_id = c.surgery_id AND {BY_CREATION} {NEWEST})
    ) AS newest
) AS r
"""  # noqa: S608  put together from constants of this file and of counted.py
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
    session: ReadSession, clinics: Collection[int], now: datetime, filters: Filters, *, is_whole: bool
) -> dict[int, Row[Any]]:
    """Clinic → its row of STATS; a clinic that does not exist is absent.

    `is_whole`: whether the versions in this snapshot stand for its rows. If not, rollups may not either.
    """
    found = await session.execute(
        STATS,
        {
            "clinics": list(clinics),
            "is_whole": is_whole,
            "now": now,
            "date_from": filters.date_from,
            "date_to": filters.date_to,
            "surgery_id": filters.surgery_id,
        },
    )
    return {row.clinic_id: row for row in found}
