"""SQL of a dashboard's counts of tickets as they are: from the rollups, or from every ticket where they are in doubt.

Both give one row per clinic with the same columns, `COLUMNS`. They stand in one statement (core/dashboard/stats.py),
beside a clinic `c` with what its rollups say of themselves, and each runs only where `c.is_rolled` says so.
"""

from core.tickets.reads.figures import ACTIVE, CONDITIONS, RECORDED, Figure

TOP_SURGERIES = 5
TOP_DOCTORS = 10

COLUMNS = (
    *("total", "active", "discharged", "annulled", "timed", "on_time", "delay_microseconds"),
    *("created_today", "created_this_week", "created_this_month"),
    *("modifications", "modified_tickets", "top_surgeries", "top_doctors"),
)
"""`active` here is all that is not over: how many of them are overdue the clock decides."""
SUMS = (*COLUMNS[:7], "modifications", "modified_tickets")

IS_ROLLED = """
    CAST(:is_whole AS boolean) AND EXISTS (
        SELECT FROM rolled_clinic r WHERE r.clinic_id = clinic.id AND r.timezone = clinic.timezone
            AND r.timeline = (SELECT id FROM cache_timeline)
            AND NOT EXISTS (
                SELECT FROM unnest(r.marks, r.locals) AS zone (mark, local)
                WHERE mark AT TIME ZONE clinic.timezone <> local
            )
    ) AND NOT EXISTS (SELECT FROM rollup_change g WHERE g.clinic_id = clinic.id AND g.timezone <> clinic.timezone)
"""
"""Whether a clinic's rollups are right in this snapshot: they were filled on this timeline, in the clinic's zone, whose
clock changes as it did then, and no change of them was made in another zone since."""


def of_surgery(row: str) -> str:
    """SQL: whether a row is of the surgery that is asked for."""
    return f"(c.surgery_id IS NULL OR {row}.surgery_id = c.surgery_id)"


# In this form the dates are no index condition: the planner then reads the covering index, whatever is asked.
IN_DAYS = "(c.first IS NULL OR ticket.created_at >= c.first) AND (c.past IS NULL OR ticket.created_at < c.past)"
OF_SURGERY = of_surgery("ticket")
IN_SCOPE = f"NOT c.is_rolled AND ticket.clinic_id = c.id AND {OF_SURGERY} AND {IN_DAYS}"


def top_surgeries(counted: str) -> str:
    """SQL: JSON of the surgeries with most tickets; `counted` is a query of `id` and `tickets`."""
    return f"""
    SELECT coalesce(jsonb_agg(jsonb_build_object('surgery_id', id, 'name', name, 'tickets', tickets)
                              ORDER BY tickets DESC, name COLLATE "C", id), '[]') AS top_surgeries
    FROM (
        SELECT id, name, tickets FROM ({counted}) AS counted JOIN surgery USING (id) WHERE tickets > 0
        ORDER BY tickets DESC, name COLLATE "C", id LIMIT {TOP_SURGERIES}
    ) AS top
    """  # noqa: S608  put together from constants of this file


def top_doctors(counted: str) -> str:
    """SQL: JSON of the doctors with most modifications; `counted` is a query of `id` and `modifications`."""
    return f"""
    SELECT coalesce(jsonb_agg(jsonb_build_object('doctor_id', id, 'name', name, 'modifications', modifications)
                              ORDER BY modifications DESC, name COLLATE "C", id), '[]') AS top_doctors
    FROM (
        SELECT id, name, modifications FROM ({counted}) AS counted JOIN doctor USING (id) WHERE modifications > 0
        ORDER BY modifications DESC, name COLLATE "C", id LIMIT {TOP_DOCTORS}
    ) AS top
    """  # noqa: S608  put together from constants of this file


COUNTED = {"active": ACTIVE, "timed": RECORDED} | {
    figure.value: CONDITIONS[figure]
    for figure in (
        *(Figure.TOTAL, Figure.DISCHARGED, Figure.ANNULLED, Figure.ON_TIME),
        *(Figure.CREATED_TODAY, Figure.CREATED_THIS_WEEK, Figure.CREATED_THIS_MONTH),
    )
}
# Modified tickets are looked up one by one (OFFSET): how many a clinic has the planner does not know here, and for
# those of a small one it would read all clinics'.
TICKETS = f"""
SELECT {", ".join(COLUMNS)}
FROM (
    SELECT {", ".join(f"count(*) FILTER (WHERE {sql}) AS {name}" for name, sql in COUNTED.items())},
        coalesce(extract(epoch FROM sum(ticket.discharged_at - ticket.current_fpa)
                 FILTER (WHERE {RECORDED})) * 1000000, 0)::bigint AS delay_microseconds
    FROM ticket WHERE {IN_SCOPE} HAVING NOT c.is_rolled
) AS counted
CROSS JOIN LATERAL (
    {top_surgeries(f"SELECT ticket.surgery_id AS id, count(*) AS tickets FROM ticket WHERE {IN_SCOPE} GROUP BY 1")}
) AS s
CROSS JOIN LATERAL (
    WITH by_doctor AS (
        SELECT ticket.doctor_id AS id, sum(of_ticket.modifications) AS modifications, count(*) AS tickets
        FROM (
            SELECT ticket_id AS id, count(*) AS modifications FROM fpa_modification
            WHERE NOT c.is_rolled AND clinic_id = c.id GROUP BY 1
        ) AS of_ticket
        CROSS JOIN LATERAL (
            SELECT ticket.doctor_id FROM ticket WHERE ticket.id = of_ticket.id AND {IN_SCOPE} OFFSET 0
        ) AS ticket GROUP BY 1
    )
    SELECT (SELECT coalesce(sum(modifications), 0)::bigint FROM by_doctor) AS modifications,
        (SELECT coalesce(sum(tickets), 0)::bigint FROM by_doctor) AS modified_tickets,
        top.top_doctors
    FROM ({top_doctors("SELECT id, modifications FROM by_doctor")}) AS top
) AS m
"""  # noqa: S608  put together from constants of this file

# The rows of the rollups that the asked days are made of: all, or whole years, and the months and days beside them.
PARTS = """
    SELECT span, first, past FROM (
        SELECT since, until, since = '-infinity' AND until = 'infinity' AS are_all,
            CAST(date_trunc('month', CAST(since - 1 AS timestamp)) + interval '1 month' AS date) AS first_month,
            CAST(date_trunc('month', CAST(until AS timestamp)) AS date) AS past_month,
            CAST(date_trunc('year', CAST(since - 1 AS timestamp)) + interval '1 year' AS date) AS first_year,
            CAST(date_trunc('year', CAST(until AS timestamp)) AS date) AS past_year
        FROM (
            SELECT coalesce(CAST(:date_from AS date), '-infinity') AS since,
                coalesce(CAST(:date_to AS date) + 1, 'infinity') AS until
        ) AS asked
    ) AS days CROSS JOIN LATERAL (
        VALUES ('all', since, until, are_all),
            ('year', first_year, past_year, NOT are_all),
            ('month', first_month, least(first_year, past_month), NOT are_all),
            ('month', greatest(first_year, past_year), past_month, NOT are_all),
            ('day', since, least(first_month, until), NOT are_all),
            ('day', greatest(first_month, past_month), until, NOT are_all)
    ) AS part (span, first, past, is_read) WHERE is_read
"""


def of_parts(columns: str, table: str, condition: str, *, starts: str = "starts") -> str:
    """SQL: the rows `r` of a table that the asked days are made of.

    OFFSET keeps the planner from joining: each part is a range of an index, whatever it believes of their sizes.
    """
    return f"""
    FROM parts CROSS JOIN LATERAL (
        SELECT {columns} FROM {table} r
        WHERE c.is_rolled AND r.clinic_id = c.id AND r.{starts} >= parts.first AND r.{starts} < parts.past
            AND {condition}
        OFFSET 0
    ) AS r
    """  # noqa: S608


OF_SPAN = "r.span = parts.span"
ITS_SURGERY = "(c.surgery_id IS NULL OR r.surgery_id = c.surgery_id)"
MODIFICATIONS = "doctor_id, modifications"


def asked_days(day: str) -> str:
    """SQL: whether a day of creation is one of those that are asked for, as a condition of an index."""
    return f"""{day} >= coalesce(CAST(:date_from AS date), '-infinity')
        AND {day} < coalesce(CAST(:date_to AS date) + 1, 'infinity')"""


CHANGES = f"""
    FROM rollup_change t WHERE c.is_rolled AND t.clinic_id = c.id AND {of_surgery("t")} AND {asked_days("t.day")}
"""
BY_SURGERY = f"""
    SELECT surgery_id AS id, sum(total)::bigint AS tickets FROM (
        SELECT r.* {of_parts("surgery_id, total", "ticket_rollup", f"{OF_SPAN} AND surgery_id <> 0 AND {ITS_SURGERY}")}
        UNION ALL SELECT t.surgery_id, t.total {CHANGES}
    ) AS added GROUP BY surgery_id
"""  # noqa: S608
# Of single days the modified tickets themselves tell.
BY_DOCTOR = f"""
    SELECT doctor_id AS id, sum(modifications)::bigint AS modifications FROM (
        SELECT r.* {of_parts(MODIFICATIONS, "doctor_rollup", f"{OF_SPAN} AND surgery_id = coalesce(c.surgery_id, 0)")}
        UNION ALL SELECT r.* {
    of_parts(MODIFICATIONS, "modified_ticket", f"parts.span = 'day' AND {ITS_SURGERY}", starts="day")
}
        UNION ALL SELECT t.doctor_id, t.modifications FROM parts JOIN rollup_change t
            ON c.is_rolled AND parts.span <> 'day' AND t.day >= parts.first AND t.day < parts.past
            AND t.clinic_id = c.id AND {of_surgery("t")}
    ) AS added GROUP BY doctor_id
"""  # noqa: S608
ROLLED = f"""
SELECT {", ".join(COLUMNS)}
FROM (
    SELECT {", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in SUMS)}
    FROM (
        SELECT r.* {of_parts(", ".join(SUMS), "ticket_rollup", f"{OF_SPAN} AND surgery_id = coalesce(c.surgery_id, 0)")}
        UNION ALL SELECT {", ".join(SUMS)} {CHANGES}
    ) AS added HAVING c.is_rolled
) AS counted
CROSS JOIN LATERAL (
    SELECT coalesce(sum(total) FILTER (WHERE day >= c.today_day), 0)::bigint AS created_today,
        coalesce(sum(total) FILTER (WHERE day >= c.week_day), 0)::bigint AS created_this_week,
        coalesce(sum(total) FILTER (WHERE day >= c.month_day), 0)::bigint AS created_this_month
    FROM (
        SELECT r.starts AS day, r.total FROM ticket_rollup r
        WHERE c.is_rolled AND r.clinic_id = c.id AND r.span = 'day' AND r.surgery_id = coalesce(c.surgery_id, 0)
            AND r.starts >= greatest(least(c.week_day, c.month_day), CAST(:date_from AS date))
            AND r.starts < least(c.tomorrow_day, CAST(:date_to AS date) + 1)
        UNION ALL SELECT t.day, t.total {CHANGES}
            AND t.day >= least(c.week_day, c.month_day) AND t.day < c.tomorrow_day
    ) AS added
) AS created
CROSS JOIN LATERAL (
    {top_surgeries(BY_SURGERY)}
) AS s
CROSS JOIN LATERAL (
    {top_doctors(BY_DOCTOR)}
) AS d
"""  # noqa: S608  put together from constants of this file
