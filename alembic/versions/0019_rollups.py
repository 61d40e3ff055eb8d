"""Rollups: a dashboard's counts by local day of creation, month and in all, so that none is counted again
(docs/design/rollups.md).

Who changes tickets appends to `rollup_change` by how much a day's counts change, in the same transaction: nothing is
locked, nothing waits for COMMIT, and what is rolled back, or a snapshot does not see, counts for nothing. Readers add
it to `ticket_rollup` and `doctor_rollup`; `rollup_merge` moves it there now and then. A clinic's rollups are trusted
once `rollup_fill` has counted all of its tickets, and only on the timeline and in the zone that it did so.

The old code goes on serving: its writes count by the same triggers, from the moment that both tables' locks were had.
"""

from collections.abc import Sequence

from alembic import op

from core.db.schema.rollup_stamping import (
    AMOUNTS,
    COUNTED_COLUMNS,
    COUNTS,
    DAY,
    NO_ZONE,
    counted,
    differing,
    names,
    of_clinics,
    remember,
    stamp_ticket,
    sums,
)
from core.db.schema.stamping import Rule, trigger_function

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FIGURES_COLUMNS = f"{COUNTED_COLUMNS}, surgery_name, created_by"
STAMP_MODIFICATION = f"""
CREATE OR REPLACE FUNCTION cache_stamp_fpa_modification() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {remember(of_clinics("new_rows", "tickets", "figures"))}
        PERFORM rollup_recount(array_agg(DISTINCT ticket_id)) FROM new_rows;
    ELSIF TG_OP = 'UPDATE' THEN
        {
    remember(
        " UNION ALL ".join(differing("*", wanted=f"clinic_id || '/{topic}' AS key") for topic in ("tickets", "figures"))
    )
}
        PERFORM rollup_recount(ARRAY({differing("id, clinic_id, ticket_id", wanted="ticket_id")}));
    ELSIF TG_OP = 'DELETE' THEN
        {remember(of_clinics("old_rows", "tickets", "figures"))}
        PERFORM rollup_recount(array_agg(DISTINCT ticket_id)) FROM old_rows;
    ELSE
        PERFORM cache_remember(ARRAY['*/tickets', '*/figures']);
    END IF;
    RETURN NULL;
END $$
"""

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
# One plan for any number of tickets: making one for each takes longer than counting.
RECOUNT = f"""
CREATE FUNCTION rollup_recount(ids text[]) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    touched text[] := ARRAY(
        SELECT one FROM unnest(ids) AS one
        WHERE EXISTS (SELECT FROM modified_ticket m WHERE m.ticket_id = one)
            OR EXISTS (
                SELECT FROM ticket t JOIN fpa_modification m ON m.clinic_id = t.clinic_id AND m.ticket_id = t.id
                WHERE t.id = one
            )
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
    clinics := ARRAY(SELECT DISTINCT clinic_id FROM ticket WHERE id = ANY(touched));
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
END $$
"""
DIFFERING = f"""
CREATE FUNCTION rollup_differing(which integer) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(t.ticket_id, m.ticket_id)
    FROM ({MODIFIED.format(condition="clinic_id = which")}) AS t
    FULL JOIN (SELECT * FROM modified_ticket WHERE clinic_id = which) AS m ON m.ticket_id = t.ticket_id
    WHERE ({names(PLACE, "t.")}) IS DISTINCT FROM ({names(PLACE, "m.")})
$$
"""

TRUTH = f"""
CREATE FUNCTION rollup_truth(which integer)
RETURNS TABLE (timezone text, day date, surgery_id integer, doctor_id integer, {
    ", ".join(f"{name} bigint" for name in AMOUNTS)
})
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT timezone, day, surgery_id, 0, {names(tuple(COUNTS))}, 0, 0
    FROM ({counted(f"SELECT 1 AS sign, {COUNTED_COLUMNS} FROM ticket WHERE clinic_id = which")}) AS c
    UNION ALL
    SELECT timezone, day, surgery_id, doctor_id, {", ".join("0" for _ in COUNTS)}, sum(modifications), count(*)
    FROM ({MODIFIED.format(condition="clinic_id = which")}) AS m GROUP BY timezone, day, surgery_id, doctor_id
$$
"""
SPANNED = """
    CROSS JOIN LATERAL (
        VALUES ('day', day), ('month', date_trunc('month', day::timestamp)::date),
            ('year', date_trunc('year', day::timestamp)::date), ('all', '-infinity'::date)
    ) AS spans (span, starts)
    CROSS JOIN LATERAL unnest(CASE surgery_id WHEN 0 THEN ARRAY[0] ELSE ARRAY[0, surgery_id] END) AS surgery
"""
"""SQL, after FROM and rows of days: each in every span and surgery that it counts in. Surgery 0 is all of them, those
that have none included."""
LOCK = 7630703
"""Of who merges or fills a clinic's rollups: one at a time."""


def added(columns: Sequence[str]) -> str:
    return ", ".join(f"{column} = r.{column} + excluded.{column}" for column in columns)


def booked(changes: str) -> str:
    """SQL, after WITH: add `changes`, a query with a row per day, surgery and doctor, to the rollups.

    Of doctors, days are in `modified_ticket`.
    """
    return f"""
    changes AS MATERIALIZED ({changes}), spanned AS MATERIALIZED (
        SELECT span, starts, surgery, doctor_id, {sums(AMOUNTS)} FROM changes {SPANNED}
        GROUP BY span, starts, surgery, doctor_id
    ), tickets AS (
        INSERT INTO ticket_rollup AS r (clinic_id, span, starts, surgery_id, {names(AMOUNTS)})
        SELECT which, span, starts, surgery, {sums(AMOUNTS)} FROM spanned GROUP BY span, starts, surgery
        ON CONFLICT (clinic_id, span, starts, surgery_id) DO UPDATE SET {added(AMOUNTS)}
    )
    INSERT INTO doctor_rollup AS r (clinic_id, span, surgery_id, starts, doctor_id, modifications)
    SELECT which, span, surgery, starts, doctor_id, modifications FROM spanned WHERE doctor_id <> 0 AND span <> 'day'
    ON CONFLICT (clinic_id, span, surgery_id, starts, doctor_id) DO UPDATE SET {added(("modifications",))};
    """


MERGE = f"""
CREATE FUNCTION rollup_merge(which integer) RETURNS boolean
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '64MB' AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock({LOCK}, which) THEN
        RETURN false;
    END IF;
    -- What is deleted here is what this statement's snapshot sees; what others have yet to commit stays.
    WITH {booked("DELETE FROM rollup_change WHERE clinic_id = which RETURNING *")}
    RETURN true;
END $$
"""
FILL = f"""
CREATE FUNCTION rollup_fill(which integer) RETURNS boolean
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
        OR 2 > (
            SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
                AND proname IN ('cache_stamp_ticket', 'cache_stamp_fpa_modification') AND prosrc LIKE '%rollup_recount%'
        )
    THEN
        RETURN false;
    END IF;
    DELETE FROM ticket_rollup WHERE clinic_id = which;
    DELETE FROM doctor_rollup WHERE clinic_id = which;
    -- In one snapshot: the tickets that it sees are counted, and the changes that it sees are not counted again. What
    -- others have yet to commit is in neither, and comes on top.
    WITH counted_anew AS (
        DELETE FROM rollup_change WHERE clinic_id = which
    ), {booked("SELECT * FROM rollup_truth(which)")}
    INSERT INTO rolled_clinic AS r (clinic_id, timeline, timezone, marks, locals)
    SELECT which, its_timeline, its_zone, marks, ARRAY(SELECT mark AT TIME ZONE its_zone FROM unnest(marks) AS mark)
    FROM zone_marks(its_zone) AS marks
    ON CONFLICT (clinic_id) DO UPDATE SET timeline = excluded.timeline, timezone = excluded.timezone,
        marks = excluded.marks, locals = excluded.locals;
    RETURN true;
END $$
"""
WRONG = f"""
CREATE FUNCTION rollup_wrong(which integer) RETURNS bigint
LANGUAGE sql STABLE SET search_path = public, pg_temp SET work_mem = '64MB' AS $$
    WITH days AS MATERIALIZED (
        SELECT -1 AS sign, day, surgery_id, doctor_id, {names(AMOUNTS)} FROM rollup_truth(which)
        UNION ALL
        SELECT 1, day, surgery_id, doctor_id, {names(AMOUNTS)} FROM rollup_change WHERE clinic_id = which
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
    )
    SELECT (SELECT count(*) FROM tickets) + (SELECT count(*) FROM doctors)
        + (SELECT count(*) FROM rollup_differing(which))
$$
"""
"""How many counts are not those that the tickets have: 0, or the clinic's rollups are wrong."""
# Before and after each change of the clock, and the first of each month, lest a new one come in between.
MARKS = """
CREATE FUNCTION zone_marks(zone text) RETURNS timestamptz[]
LANGUAGE sql STABLE SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    WITH days AS (
        SELECT at, at AT TIME ZONE zone - at::timestamp AS ahead
        FROM generate_series(
            date_trunc('month', now()) - interval '20 years', now() + interval '2 years', interval '1 day'
        ) AS at
    ), changed AS (
        SELECT at FROM (SELECT at, ahead, lag(ahead) OVER (ORDER BY at) AS before FROM days) AS d WHERE ahead <> before
    ), quarters AS (
        SELECT q.at, q.at AT TIME ZONE zone - q.at::timestamp AS ahead, changed.at AS day
        FROM changed
        CROSS JOIN LATERAL generate_series(changed.at - interval '1 day', changed.at, interval '15 minutes') AS q (at)
    ), changes AS (
        SELECT at FROM (SELECT at, ahead, lag(ahead) OVER (PARTITION BY day ORDER BY at) AS before FROM quarters) AS q
        WHERE ahead <> before
    )
    SELECT array_agg(at ORDER BY at) FROM (
        SELECT at FROM days WHERE extract(day FROM at) = 1
        UNION SELECT at FROM changes UNION SELECT at - interval '1 microsecond' FROM changes
    ) AS marks
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (MARKS, RECOUNT, DIFFERING, TRUTH, MERGE, FILL, WRONG):
        op.execute(statement)
    # Who has written and not committed was not counted: it is waited for, and then its rows are there to be counted.
    op.execute("LOCK TABLE ticket, fpa_modification IN SHARE ROW EXCLUSIVE MODE")
    op.execute(stamp_ticket(FIGURES_COLUMNS))
    op.execute(STAMP_MODIFICATION)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("LOCK TABLE ticket, fpa_modification IN SHARE ROW EXCLUSIVE MODE")
    for table, columns in (("ticket", FIGURES_COLUMNS), ("fpa_modification", "*")):
        before = trigger_function(table, (Rule("tickets"), Rule("figures", columns)))
        op.execute(before.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
    op.execute(
        "DROP FUNCTION rollup_wrong(integer), rollup_fill(integer), rollup_merge(integer), rollup_truth(integer),"
        " rollup_differing(integer),"
        " rollup_recount(text[]), zone_marks(text)"
    )
