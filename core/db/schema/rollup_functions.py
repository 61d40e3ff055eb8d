"""For migrations: what merges, fills and compares rollups (docs/design/rollups.md), by what is counted in them.

What is here is part of every released migration that calls it. A change of what it does is a migration of its own.
"""

from collections.abc import Sequence

from core.db.schema.rollup_stamping import AMOUNTS, DAY, NO_ZONE, Counted, counted, names, sums

MODIFIED = f"""
    SELECT t.id AS ticket_id, t.clinic_id, {DAY} AS day, coalesce(t.surgery_id, 0) AS surgery_id,
        coalesce(t.doctor_id, 0) AS doctor_id, m.modifications, {NO_ZONE} AS timezone
    FROM ticket t
    JOIN (
        SELECT clinic_id, ticket_id, count(*)::integer AS modifications FROM fpa_modification
        WHERE {{condition}} GROUP BY clinic_id, ticket_id
    ) AS m ON m.clinic_id = t.clinic_id AND m.ticket_id = t.id
    LEFT JOIN (SELECT id AS its_clinic, timezone FROM clinic) AS c ON its_clinic = t.clinic_id
"""
"""SQL: each modified ticket as `modified_ticket` has it, and its zone."""
PLACE = ("clinic_id", "day", "surgery_id", "doctor_id", "modifications")
COUNT_AND_NOTE = f"""
    WITH truth AS (
        {MODIFIED.format(condition="clinic_id = ANY(clinics) AND ticket_id = ANY(touched)")}
    ), gone AS (
        DELETE FROM modified_ticket m
        WHERE m.ticket_id = ANY(touched) AND NOT EXISTS (SELECT FROM truth WHERE truth.ticket_id = m.ticket_id)
    ), noted AS (
        INSERT INTO modified_ticket AS m (ticket_id, {names(PLACE)}) SELECT ticket_id, {names(PLACE)} FROM truth
        ON CONFLICT (ticket_id) DO UPDATE SET ({names(PLACE)}) = ({names(PLACE, "excluded.")})
            WHERE ({names(PLACE, "m.")}) <> ({names(PLACE, "excluded.")})
    )
    INSERT INTO rollup_change (clinic_id, timezone, day, surgery_id, doctor_id, modifications, modified_tickets)
    SELECT clinic_id, timezone, day, surgery_id, doctor_id, sum(sign * modifications), sum(sign)
    FROM (
        SELECT 1 AS sign, timezone, {names(PLACE)} FROM truth
        UNION ALL
        SELECT -1, {NO_ZONE}, {names(PLACE, "m.")} FROM modified_ticket m LEFT JOIN clinic c ON c.id = m.clinic_id
        WHERE m.ticket_id = ANY(touched)
    ) AS moved GROUP BY clinic_id, timezone, day, surgery_id, doctor_id
    HAVING (sum(sign * modifications), sum(sign)) <> (0, 0);
"""
"""SQL: what is there of the tickets `touched` against what was counted of them, and note it."""
DIFFERING = f"""
    SELECT coalesce(t.ticket_id, m.ticket_id)
    FROM ({MODIFIED.format(condition="clinic_id = which")}) AS t
    FULL JOIN (SELECT * FROM modified_ticket WHERE clinic_id = which) AS m ON m.ticket_id = t.ticket_id
    WHERE ({names(PLACE, "t.")}) IS DISTINCT FROM ({names(PLACE, "m.")})
"""


def recount(*, touched: str = "", held: str = "", noted: str = "") -> str:
    """SQL that makes `rollup_recount`, which notes what is there of tickets together with the rows that point at them.

    Of more than modifications: `touched`, conditions that a ticket `one` is recounted by; `held` and `noted`, the
    statements that lock what was noted of the tickets `touched`, and that note it.
    """
    # One plan for any number of tickets: making one for each takes longer than counting.
    return f"""
CREATE OR REPLACE FUNCTION rollup_recount(ids text[]) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    touched text[] := ARRAY(
        SELECT one FROM unnest(ids) AS one
        WHERE EXISTS (SELECT FROM modified_ticket m WHERE m.ticket_id = one)
            OR EXISTS (
                SELECT FROM ticket t JOIN fpa_modification m ON m.clinic_id = t.clinic_id AND m.ticket_id = t.id
                WHERE t.id = one
            ){touched}
    );
    clinics integer[];
BEGIN
    IF touched = '{{}}' THEN
        RETURN;
    END IF;
    -- One at a time: a ticket's doctor may change while it is modified. Each statement below sees who came before,
    -- and where the transaction's snapshot is older than that, the clinic's version row refuses its COMMIT.
    PERFORM FROM ticket WHERE id = ANY(touched) ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM modified_ticket WHERE ticket_id = ANY(touched) ORDER BY ticket_id FOR UPDATE;
    {held}
    clinics := ARRAY(SELECT DISTINCT clinic_id FROM ticket WHERE id = ANY(touched));
    {COUNT_AND_NOTE}
    {noted}
END $$
"""


def differing_tickets(also: str = "") -> str:
    """SQL that makes `rollup_differing`: ids of a clinic's tickets of which something else was noted. `also`: a query
    of more of them."""
    return f"""
CREATE OR REPLACE FUNCTION rollup_differing(which integer) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    {DIFFERING}
    {also and f"UNION {also}"}
$$
"""


OF_EACH_SURGERY = """
    CROSS JOIN LATERAL unnest(CASE surgery_id WHEN 0 THEN ARRAY[0] ELSE ARRAY[0, surgery_id] END) AS surgery
"""
SPANNED = f"""
    CROSS JOIN LATERAL (
        VALUES ('day', day), ('month', date_trunc('month', day::timestamp)::date),
            ('year', date_trunc('year', day::timestamp)::date), ('all', '-infinity'::date)
    ) AS spans (span, starts)
    {OF_EACH_SURGERY}
"""
"""SQL, after FROM and rows of days: each in every span and surgery that it counts in. Surgery 0 is all of them, those
that have none included."""
OF_FLOW = f"""
    CROSS JOIN LATERAL (VALUES ('day', day), ('all', '-infinity'::date)) AS spans (span, starts)
    {OF_EACH_SURGERY} WHERE left_day IS NOT NULL AND (span = 'all' OR surgery = 0)
"""
"""The same of those who left, by the day on which they did. Of one surgery there are no days of creation."""
LOCK = 7630703
"""Of who merges or fills a clinic's rollups: one at a time."""


def truth(what: Counted) -> str:
    """SQL that makes `rollup_truth`: what is there of a clinic's tickets, as changes have it."""
    kept = tuple(what.counts)
    days, none = names(tuple(what.days)), ", ".join(["day", *("NULL" for _ in tuple(what.days)[1:])])
    columns = ", ".join([*(f"{day} date" for day in what.days), "surgery_id integer", "doctor_id integer"])
    return f"""
CREATE FUNCTION rollup_truth(which integer)
RETURNS TABLE (timezone text, {columns}, {
        ", ".join(f"{name} bigint" for name in (*kept, "modifications", "modified_tickets"))
    })
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT timezone, {days}, surgery_id, 0, {names(kept)}, 0, 0
    FROM ({counted(f"SELECT 1 AS sign, {what.columns} FROM ticket WHERE clinic_id = which", what)}) AS c
    UNION ALL
    SELECT timezone, {none}, surgery_id, doctor_id, {", ".join("0" for _ in kept)}, sum(modifications), count(*)
    FROM ({MODIFIED.format(condition="clinic_id = which")}) AS m GROUP BY timezone, day, surgery_id, doctor_id
$$
"""


def added(columns: Sequence[str]) -> str:
    return ", ".join(f"{column} = r.{column} + excluded.{column}" for column in columns)


def booked(changes: str, what: Counted) -> str:
    """SQL, after WITH: add `changes`, a query with a row per day, surgery and doctor, to the rollups.

    Of doctors, days are in `modified_ticket`.
    """
    flow = f""", flow AS (
        INSERT INTO flow_rollup AS r (clinic_id, span, left_day, starts, surgery_id, {names(what.flow)})
        SELECT which, span, left_day, starts, surgery, {sums(what.flow)} FROM changes {OF_FLOW}
        GROUP BY span, left_day, starts, surgery
        ON CONFLICT (clinic_id, surgery_id, span, left_day, starts) DO UPDATE SET {added(what.flow)}
    )"""
    return f"""
    changes AS MATERIALIZED ({changes}), spanned AS MATERIALIZED (
        SELECT span, starts, surgery, doctor_id, {sums(AMOUNTS)} FROM changes {SPANNED}
        GROUP BY span, starts, surgery, doctor_id
    ), tickets AS (
        INSERT INTO ticket_rollup AS r (clinic_id, span, starts, surgery_id, {names(AMOUNTS)})
        SELECT which, span, starts, surgery, {sums(AMOUNTS)} FROM spanned GROUP BY span, starts, surgery
        ON CONFLICT (clinic_id, span, starts, surgery_id) DO UPDATE SET {added(AMOUNTS)}
    ){flow if what.flow else ""}
    INSERT INTO doctor_rollup AS r (clinic_id, span, surgery_id, starts, doctor_id, modifications)
    SELECT which, span, surgery, starts, doctor_id, modifications FROM spanned WHERE doctor_id <> 0 AND span <> 'day'
    ON CONFLICT (clinic_id, span, surgery_id, starts, doctor_id) DO UPDATE SET {added(("modifications",))};
    """


def merge(what: Counted) -> str:
    """SQL that makes `rollup_merge`, which adds a clinic's changes to its rollups; false where somebody is at it."""
    return f"""
CREATE OR REPLACE FUNCTION rollup_merge(which integer) RETURNS boolean
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '64MB' AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock({LOCK}, which) THEN
        RETURN false;
    END IF;
    -- What is deleted here is what this statement's snapshot sees; what others have yet to commit stays.
    WITH {booked("DELETE FROM rollup_change WHERE clinic_id = which RETURNING *", what)}
    RETURN true;
END $$
"""


def fill(what: Counted, *, counting: Sequence[str]) -> str:
    """SQL that makes `rollup_fill`, which counts a clinic's tickets anew; false where that is left to somebody or to
    later. `counting`: the triggers' functions that recount tickets, or nothing is trusted."""
    tables = ("ticket_rollup", "doctor_rollup", *(["flow_rollup"] if what.flow else []))
    functions = ", ".join(f"'{name}'" for name in counting)
    return f"""
CREATE OR REPLACE FUNCTION rollup_fill(which integer) RETURNS boolean
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '64MB' AS $$
DECLARE
    its_timeline text;
    its_zone text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'rollups are filled in READ COMMITTED alone: each statement needs its own snapshot';
    END IF;
    -- Before all else: what is replaced after this has another id.
    SELECT id INTO its_timeline FROM cache_timeline WHERE fingerprint = cache_fingerprint();
    SELECT timezone INTO its_zone FROM clinic WHERE id = which;
    IF its_timeline IS NULL OR its_zone IS NULL OR NOT pg_try_advisory_xact_lock({LOCK}, which)
        OR EXISTS (SELECT FROM rollup_differing(which))
        -- The release before this one may have repaired its own triggers, which count nothing.
        OR {len(counting)} > (
            SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
                AND proname IN ({functions}) AND prosrc LIKE '%rollup_recount%'
        )
    THEN
        RETURN false;
    END IF;
    {" ".join(f"DELETE FROM {table} WHERE clinic_id = which;" for table in tables)}
    -- In one snapshot: the tickets that it sees are counted, and the changes that it sees are not counted again. What
    -- others have yet to commit is in neither, and comes on top.
    WITH counted_anew AS (
        DELETE FROM rollup_change WHERE clinic_id = which
    ), {booked("SELECT * FROM rollup_truth(which)", what)}
    INSERT INTO rolled_clinic AS r (clinic_id, timeline, timezone, marks, locals)
    SELECT which, its_timeline, its_zone, marks, ARRAY(SELECT mark AT TIME ZONE its_zone FROM unnest(marks) AS mark)
    FROM zone_marks(its_zone) AS marks
    ON CONFLICT (clinic_id) DO UPDATE SET timeline = excluded.timeline, timezone = excluded.timezone,
        marks = excluded.marks, locals = excluded.locals;
    RETURN true;
END $$
"""


def wrong(what: Counted) -> str:
    """SQL that makes `rollup_wrong`: how many counts are not those that the tickets have."""
    columns = names((*what.days, "surgery_id", "doctor_id", *AMOUNTS, *what.flow))
    flow = f""", flow AS (
        SELECT 1 FROM (
            SELECT span, left_day, starts, surgery, {", ".join(f"sign * {name} AS {name}" for name in what.flow)}
            FROM days {OF_FLOW}
            UNION ALL
            SELECT span, left_day, starts, surgery_id, {names(what.flow)} FROM flow_rollup WHERE clinic_id = which
        ) AS added GROUP BY span, left_day, starts, surgery
        HAVING {" OR ".join(f"sum({name}) <> 0" for name in what.flow)}
    )"""
    return f"""
CREATE OR REPLACE FUNCTION rollup_wrong(which integer) RETURNS bigint
LANGUAGE sql STABLE SET search_path = public, pg_temp SET work_mem = '64MB' AS $$
    WITH days AS MATERIALIZED (
        SELECT -1 AS sign, {columns} FROM rollup_truth(which)
        UNION ALL
        SELECT 1, {columns} FROM rollup_change WHERE clinic_id = which
    ), spanned AS MATERIALIZED (
        SELECT span, starts, surgery, doctor_id, {sums(AMOUNTS, "sign")} FROM days {SPANNED}
        GROUP BY span, starts, surgery, doctor_id
    ), tickets AS (
        SELECT 1 FROM (
            SELECT span, starts, surgery, {names(AMOUNTS)} FROM spanned
            UNION ALL
            SELECT span, starts, surgery_id, {names(AMOUNTS)} FROM ticket_rollup WHERE clinic_id = which
        ) AS added GROUP BY span, starts, surgery HAVING {" OR ".join(f"sum({name}) <> 0" for name in AMOUNTS)}
    ), doctors AS (
        SELECT 1 FROM (
            SELECT span, starts, surgery, doctor_id, modifications FROM spanned WHERE doctor_id <> 0 AND span <> 'day'
            UNION ALL
            SELECT span, starts, surgery_id, doctor_id, modifications FROM doctor_rollup WHERE clinic_id = which
        ) AS added GROUP BY span, starts, surgery, doctor_id HAVING sum(modifications) <> 0
    ){flow if what.flow else ""}
    SELECT (SELECT count(*) FROM tickets) + (SELECT count(*) FROM doctors)
        + (SELECT count(*) FROM rollup_differing(which)){" + (SELECT count(*) FROM flow)" if what.flow else ""}
$$
"""
