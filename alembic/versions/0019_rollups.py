"""Rollups: a dashboard's counts by local day of creation, month and in all, so that none is counted again
(docs/design/rollups.md).

Who changes tickets appends to `rollup_change` by how much a day's counts change, in the same transaction: nothing is
locked, nothing waits for COMMIT, and what is rolled back, or a snapshot does not see, counts for nothing. Readers add
it to `ticket_rollup` and `doctor_rollup`; `rollup_merge` moves it there now and then. A clinic's rollups are trusted
once `rollup_fill` has counted all of its tickets, and only on the timeline and in the zone that it did so.

The old code goes on serving: its writes count by the same triggers, from the moment that both tables' locks were had.
"""

from alembic import op

from core.db.schema.rollup_functions import differing_tickets, fill, merge, recount, truth, wrong
from core.db.schema.rollup_stamping import COUNTED_COLUMNS, SINCE_0019, differing, of_clinics, remember, stamp_ticket
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

COUNTING = ("cache_stamp_ticket", "cache_stamp_fpa_modification")
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
    counting = (truth(SINCE_0019), merge(SINCE_0019), fill(SINCE_0019, counting=COUNTING), wrong(SINCE_0019))
    for statement in (MARKS, recount(), differing_tickets(), *counting):
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
