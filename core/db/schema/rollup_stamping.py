"""For migrations: having every change of a ticket count in the rollups (docs/design/rollups.md), in the statement that
stamps its versions.

What is here is part of every released migration that calls it. A change of what is counted is a migration of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

TIMED = "status = 'discharged' AND NOT discharge_assumed"
# The FPA rounded to the nearest full local hour is the block's end. Most discharges are further off than the half hour
# that rounding moves it, and need no look at the zone.
ON_TIME = """
    discharged_at <= current_fpa + interval '30 minutes' AND (
        discharged_at <= current_fpa - interval '30 minutes'
        OR discharged_at <= date_trunc('hour', current_fpa + interval '30 minutes', timezone)
    )
"""
DELAY = "(extract(epoch FROM discharged_at - current_fpa) * 1000000)::bigint"
# What is counted of tickets → an expression over a ticket and its clinic's zone.
COUNTS = {
    "total": "1",
    "active": "(status = 'active')::integer",
    "discharged": "(status = 'discharged')::integer",
    "annulled": "(status = 'annulled')::integer",
    "timed": f"({TIMED})::integer",
    "on_time": f"({TIMED} AND {ON_TIME})::integer",
    "delay_microseconds": f"CASE WHEN {TIMED} THEN {DELAY} ELSE 0 END",
}
AMOUNTS = (*COUNTS, "modifications", "modified_tickets")
COUNTED_COLUMNS = (
    "id, clinic_id, status, current_fpa, discharged_at, discharge_assumed, surgery_id, doctor_id, created_at"
)
DAY = "coalesce((created_at AT TIME ZONE timezone)::date, '-infinity')"
NO_ZONE = "coalesce(timezone, '')"
"""Of a clinic that is not there, in the middle of a restore: then the clinic's rollups are in doubt."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of tickets, and by which days."""

    columns: str = COUNTED_COLUMNS
    """What it is made of."""
    counts: Mapping[str, str] = field(default_factory=lambda: COUNTS)
    days: Mapping[str, str] = field(default_factory=lambda: {"day": DAY})
    """Name → an expression over a ticket and its clinic's zone, as `counts` has them."""

    @property
    def flow(self) -> tuple[str, ...]:
        """The counts of those who left, by the day on which they did; none before 0029."""
        return tuple(name for name in self.counts if name not in COUNTS)


SINCE_0019 = Counted()
GONE = "discharged_at IS NOT NULL AND NOT discharge_assumed"
# Whole numbers, exact up to decades, as core/dashboard/flow.py has them.
STAY = "(date_part('epoch', discharged_at - admission_at) * 1000000)::bigint / (surgery_base_hours * bigint '3600000')"
WAIT = "(date_part('epoch', discharged_at - ready_at) * 1000000)::bigint"
FLOW_COUNTS = {
    "gone": f"({GONE})::integer",
    "early": f"({GONE} AND (discharged_at AT TIME ZONE timezone)::time < '12:00')::integer",
    "stay_thousandths": f"CASE WHEN {GONE} THEN {STAY} ELSE 0 END",
    "waited": f"({GONE} AND ready_at IS NOT NULL)::integer",
    "wait_microseconds": f"CASE WHEN {GONE} AND ready_at IS NOT NULL THEN {WAIT} ELSE 0 END",
}
"""Of those who left at a time that somebody recorded."""
LEFT_DAY = f"CASE WHEN {GONE} THEN (discharged_at AT TIME ZONE timezone)::date END"
SINCE_0029 = Counted(
    f"{COUNTED_COLUMNS}, ready_at, admission_at, surgery_base_hours",
    COUNTS | FLOW_COUNTS,
    {"day": DAY, "left_day": LEFT_DAY},
)


def names(columns: Sequence[str], prefix: str = "") -> str:
    """SQL: the columns, by commas."""
    return ", ".join(f"{prefix}{column}" for column in columns)


def sums(columns: Sequence[str], times: str = "1") -> str:
    """SQL: the sum of each column, under its name, 0 for no rows; `times` is an expression that each value is
    multiplied with."""
    return ", ".join(f"coalesce(sum({column} * {times}), 0) AS {column}" for column in columns)


def counted(tickets: str, what: Counted = SINCE_0019) -> str:
    """SQL: days, surgery and counts of `tickets`, a query of a ticket's columns with a `sign`."""
    measures = ", ".join(f"{expression} AS {name}" for name, expression in what.counts.items())
    days = ", ".join(f"{expression} AS {name}" for name, expression in what.days.items())
    return f"""
        SELECT clinic_id, timezone, {names(tuple(what.days))}, surgery_id, {sums(tuple(what.counts), "sign")} FROM (
            SELECT sign, clinic_id, {NO_ZONE} AS timezone, {days}, coalesce(surgery_id, 0) AS surgery_id,
                {measures}
            FROM ({tickets}) AS t
            LEFT JOIN (SELECT id AS its_clinic, timezone FROM clinic) AS c ON its_clinic = clinic_id
        ) AS measured GROUP BY clinic_id, timezone, {names(tuple(what.days))}, surgery_id
    """


def append(tickets: str, what: Counted = SINCE_0019) -> str:
    """SQL: the counts of `tickets` as changes, where any is not zero."""
    zeros = ", ".join("0" for _ in what.counts)
    days, counts = names(tuple(what.days)), names(tuple(what.counts))
    return f"""
        INSERT INTO rollup_change (clinic_id, timezone, {days}, surgery_id, {counts})
        SELECT clinic_id, timezone, {days}, surgery_id, {counts} FROM ({counted(tickets, what)}) AS changed
        WHERE ({counts}) <> ({zeros});
    """


def remember(keys: str) -> str:
    """PL/pgSQL: stamp the versions that the query `keys` names, as `5/figures`."""
    return f"PERFORM cache_remember(array_agg(key)) FROM ({keys}) AS keys;"


def of_clinics(rows: str, *topics: str) -> str:
    """SQL: the key of each topic for each clinic in `rows`."""
    return " UNION ALL ".join(f"SELECT DISTINCT clinic_id || '/{topic}' AS key FROM {rows}" for topic in topics)


def differing(columns: str, *, wanted: str) -> str:
    """SQL: `wanted` of the rows that a statement has changed in one of `columns`, whether they were there before or are
    after it."""
    new, old = (f"SELECT {columns} FROM {rows}" for rows in ("new_rows", "old_rows"))
    return f"SELECT DISTINCT {wanted} FROM (({new} EXCEPT ALL {old}) UNION ALL ({old} EXCEPT ALL {new})) AS d"


def stamp_ticket(figures: str, what: Counted = SINCE_0019) -> str:
    """SQL that makes `cache_stamp_ticket`: a change of any column bumps `tickets`, one of the columns `figures` bumps
    `figures` too, and what it changes of the counts is appended."""
    columns = what.columns
    return f"""
CREATE OR REPLACE FUNCTION cache_stamp_ticket() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    touched text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        {remember(of_clinics("new_rows", "tickets", "figures"))}
        {append(f"SELECT 1 AS sign, {columns} FROM new_rows", what)}
        -- Modifications may be there already: a restore brings tables in any order.
        PERFORM rollup_recount(array_agg(id)) FROM new_rows;
    ELSIF TG_OP = 'UPDATE' THEN
        {
        remember(
            differing("*", wanted="clinic_id || '/tickets' AS key")
            + " UNION ALL "
            + differing(figures, wanted="clinic_id || '/figures' AS key")
        )
    }
        touched := ARRAY({differing(columns, wanted="id")});
        IF touched <> '{{}}' THEN
            {append(f"SELECT 1 AS sign, {columns} FROM new_rows UNION ALL SELECT -1, {columns} FROM old_rows", what)}
            PERFORM rollup_recount(touched);
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        {remember(of_clinics("old_rows", "tickets", "figures"))}
        {append(f"SELECT -1 AS sign, {columns} FROM old_rows", what)}
        PERFORM rollup_recount(array_agg(id)) FROM old_rows;
    ELSE
        -- It makes another timeline, on which no rollup is trusted before it was filled anew.
        PERFORM cache_remember(ARRAY['*/tickets', '*/figures']);
    END IF;
    RETURN NULL;
END $$
"""
