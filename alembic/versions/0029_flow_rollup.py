"""How patients leave is kept by the day on which they did, so that a dashboard does not read each discharge of the last
30 days (docs/design/rollups.md): `flow_rollup`, and `delayed_ticket`, by how many minutes what held up a ticket that
left lately.

Who changes tickets appends to `rollup_change` as before, with the day of the discharge beside that of the creation.
What joins delays with tickets is noted as modifications are. A delay costs nothing before the admission or after the
discharge (`delay_minutes`).

The old code goes on serving: its writes count by the same triggers. It is another fingerprint, so rollups are filled
anew.
"""

import sqlalchemy as sa
from alembic import op

from core.db.schema.rollup_functions import differing_tickets, fill, merge, recount, truth, wrong
from core.db.schema.rollup_stamping import (
    COUNTED_COLUMNS,
    DAY,
    FLOW_COUNTS,
    GONE,
    NO_ZONE,
    SINCE_0019,
    SINCE_0029,
    differing,
    names,
    of_clinics,
    remember,
    stamp_ticket,
)
from core.db.schema.stamping import Rule, trigger_function

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

FIGURES = f"{COUNTED_COLUMNS}, surgery_name, created_by, ready_at, admission_at, surgery_base_hours, long_stay_at"
MINUTES = """
CREATE OR REPLACE FUNCTION delay_minutes(
    set_at timestamptz, ended_at timestamptz, admission_at timestamptz, discharged_at timestamptz
) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(
    0,
    (date_part('epoch', least(ended_at, discharged_at) - greatest(set_at, admission_at)) * 1000000)::bigint / 60000000
)
"""
# `left` is none where the clinic is not there, in the middle of a restore.
DELAYED = f"""
    SELECT t.id AS ticket_id, d.reason_id, t.clinic_id,
        coalesce((t.discharged_at AT TIME ZONE timezone)::date, '-infinity') AS left_day, {DAY} AS day,
        coalesce(t.surgery_id, 0) AS surgery_id,
        sum(delay_minutes(d.set_at, d.ended_at, t.admission_at, t.discharged_at)) AS minutes, {NO_ZONE} AS timezone
    FROM ticket t JOIN delay d ON d.clinic_id = t.clinic_id AND d.ticket_id = t.id
    LEFT JOIN (SELECT id AS its_clinic, timezone FROM clinic) AS c ON its_clinic = t.clinic_id
    WHERE {GONE} AND {{condition}} GROUP BY t.id, d.reason_id, timezone
    HAVING sum(delay_minutes(d.set_at, d.ended_at, t.admission_at, t.discharged_at)) > 0
"""
"""SQL: by how long each reason held up a ticket that left, as `delayed_ticket` has it, and its zone."""
PLACE = ("clinic_id", "left_day", "day", "surgery_id", "minutes")
TOUCHED = """
            OR EXISTS (SELECT FROM delayed_ticket m WHERE m.ticket_id = one)
            OR EXISTS (
                SELECT FROM ticket t JOIN delay d ON d.clinic_id = t.clinic_id AND d.ticket_id = t.id WHERE t.id = one
            )
"""
HELD = "PERFORM FROM delayed_ticket WHERE ticket_id = ANY(touched) ORDER BY ticket_id, reason_id FOR UPDATE;"
NOTED = f"""
    WITH truth AS MATERIALIZED (
        {DELAYED.format(condition="d.clinic_id = ANY(clinics) AND d.ticket_id = ANY(touched)")}
    ), gone AS (
        DELETE FROM delayed_ticket m WHERE m.ticket_id = ANY(touched) AND NOT EXISTS (
            SELECT FROM truth WHERE truth.ticket_id = m.ticket_id AND truth.reason_id = m.reason_id
        )
    ), noted AS (
        INSERT INTO delayed_ticket AS m (ticket_id, reason_id, {names(PLACE)})
        SELECT ticket_id, reason_id, {names(PLACE)} FROM truth
        ON CONFLICT (ticket_id, reason_id) DO UPDATE SET ({names(PLACE)}) = ({names(PLACE, "excluded.")})
            WHERE ({names(PLACE, "m.")}) <> ({names(PLACE, "excluded.")})
        RETURNING m.ticket_id
    )
    -- It says in which zone that day was that day.
    INSERT INTO rollup_change (clinic_id, timezone, day, surgery_id)
    SELECT DISTINCT clinic_id, timezone, day, surgery_id FROM truth WHERE ticket_id IN (SELECT ticket_id FROM noted);
"""
DIFFERING = f"""
    SELECT coalesce(t.ticket_id, m.ticket_id)
    FROM ({DELAYED.format(condition="t.clinic_id = which AND d.clinic_id = which")}) AS t
    FULL JOIN (SELECT * FROM delayed_ticket WHERE clinic_id = which) AS m
        ON m.ticket_id = t.ticket_id AND m.reason_id = t.reason_id
    WHERE ({names(PLACE, "t.")}) IS DISTINCT FROM ({names(PLACE, "m.")})
"""
# The ticket is held before it is looked whether the delay matters: it may be discharged at this moment.
STAMP_DELAY = f"""
CREATE OR REPLACE FUNCTION cache_stamp_delay() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    touched text[] := '{{}}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        {remember(of_clinics("new_rows", "tickets", "figures"))}
        touched := ARRAY(SELECT DISTINCT ticket_id FROM new_rows);
    ELSIF TG_OP = 'UPDATE' THEN
        {
    remember(
        " UNION ALL ".join(differing("*", wanted=f"clinic_id || '/{topic}' AS key") for topic in ("tickets", "figures"))
    )
}
        touched := ARRAY({differing("id, clinic_id, ticket_id, reason_id, set_at, ended_at", wanted="ticket_id")});
    ELSIF TG_OP = 'DELETE' THEN
        {remember(of_clinics("old_rows", "tickets", "figures"))}
        touched := ARRAY(SELECT DISTINCT ticket_id FROM old_rows);
    ELSE
        PERFORM cache_remember(ARRAY['*/tickets', '*/figures']);
    END IF;
    IF touched <> '{{}}' THEN
        PERFORM FROM ticket WHERE id = ANY(touched) ORDER BY id FOR NO KEY UPDATE;
        PERFORM rollup_recount(touched);
    END IF;
    RETURN NULL;
END $$
"""
COUNTING = ("cache_stamp_ticket", "cache_stamp_fpa_modification", "cache_stamp_delay")
TABLES = ("flow_rollup", "delayed_ticket")
LOCK = "LOCK TABLE delay, fpa_modification, ticket IN SHARE ROW EXCLUSIVE MODE"
"""In the order in which verbs write them, once they hold the ticket's row."""


def amounts() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for name in FLOW_COUNTS]


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "flow_rollup",
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("surgery_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("span", sa.String(length=5), nullable=False),
        sa.Column("left_day", sa.Date(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        *amounts(),
        sa.PrimaryKeyConstraint("clinic_id", "surgery_id", "span", "left_day", "starts", name=op.f("pk_flow_rollup")),
    )
    op.create_table(
        "delayed_ticket",
        sa.Column("ticket_id", sa.String(length=30), nullable=False),
        sa.Column("reason_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("left_day", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("surgery_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "reason_id", name=op.f("pk_delayed_ticket")),
    )
    op.create_index("ix_delayed_ticket_clinic_id_left_day", "delayed_ticket", ["clinic_id", "left_day"])
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER kept BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER kept")
    # Who has written and not committed was not counted: it is waited for, and then its rows are there to be counted.
    op.execute(LOCK)
    for column in (sa.Column("left_day", sa.Date(), nullable=True), *amounts()):
        op.add_column("rollup_change", column)
    op.execute("DROP FUNCTION rollup_truth(integer)")
    functions = (truth(SINCE_0029), merge(SINCE_0029), fill(SINCE_0029, counting=COUNTING), wrong(SINCE_0029))
    for statement in (MINUTES, recount(touched=TOUCHED, held=HELD, noted=NOTED), differing_tickets(DIFFERING)):
        op.execute(statement)
    for statement in (*functions, stamp_ticket(FIGURES, SINCE_0029), STAMP_DELAY):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(LOCK)
    op.execute("DROP FUNCTION rollup_truth(integer)")
    functions = (truth(SINCE_0019), merge(SINCE_0019), fill(SINCE_0019, counting=COUNTING[:2]), wrong(SINCE_0019))
    stamp_delay = trigger_function("delay", (Rule("tickets"), Rule("figures")))
    for statement in (recount(), differing_tickets(), *functions, stamp_ticket(FIGURES)):
        op.execute(statement)
    op.execute(stamp_delay.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
    op.execute("DROP FUNCTION delay_minutes(timestamptz, timestamptz, timestamptz, timestamptz)")
    for column in ("left_day", *FLOW_COUNTS):
        op.drop_column("rollup_change", column)
    for table in TABLES:
        op.drop_table(table)
