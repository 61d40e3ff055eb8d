"""Patients who are ready to leave, why those who are ready or overdue are still here (`delay`), and long stays.

A trigger keeps what follows from other columns, whoever writes, so the release before this one does, too:
`long_stay_at`, and that nobody was ready after they left. Stays that are over have no `long_stay_at` before they are
written again. No row of a catalog gets the category `delay` here, for that release does not know it.

Indexes are built, active tickets filled and rows checked without holding up writers. Where it is broken off it begins
again. What stamps figures has further columns: it is another fingerprint, so what was cached is read anew, and rollups
are filled anew.
"""

import sqlalchemy as sa
from alembic import op

from core.db.schema.indexes import build_beside_writers
from core.db.schema.rollup_stamping import COUNTED_COLUMNS, stamp_ticket
from core.db.schema.stamping import STAMPED_BY_0021, Rule, stamp_table, unstamp_table

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

FIGURES_BEFORE = f"{COUNTED_COLUMNS}, surgery_name, created_by"
FIGURES = f"{FIGURES_BEFORE}, ready_at, admission_at, surgery_base_hours, long_stay_at"
COLUMNS = (
    *("ADD COLUMN IF NOT EXISTS ready_at timestamptz", "ADD COLUMN IF NOT EXISTS ready_by varchar(80)"),
    "ADD COLUMN IF NOT EXISTS long_stay_at timestamptz",
)
# Elapsed hours: of an interval without days no zone changes the end.
FLOW = """
CREATE OR REPLACE FUNCTION ticket_flow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.long_stay_at := NEW.admission_at + make_interval(hours => 2 * NEW.surgery_base_hours);
    IF NEW.ready_at > NEW.discharged_at THEN
        NEW.ready_at := NEW.discharged_at;
    END IF;
    RETURN NEW;
END $$
"""
WRITTEN = "admission_at, surgery_base_hours, status, discharged_at, ready_at"
READY = "(ready_at is null) = (ready_by is null) and (imported or ready_at >= admission_at)"
# Each batch is a transaction: nobody waits for more than its rows.
FILL = """
DO $$
DECLARE
    after text := '';
BEGIN
    WHILE after IS NOT NULL LOOP
        WITH batch AS (
            SELECT id FROM ticket WHERE id > after AND status = 'active' AND long_stay_at IS NULL
            ORDER BY id LIMIT 1000 FOR NO KEY UPDATE
        ), filled AS (
            UPDATE ticket SET status = status WHERE id IN (SELECT id FROM batch)
        )
        SELECT max(id) INTO after FROM batch;
        COMMIT;
    END LOOP;
END $$
"""
INDEXES = {
    "ix_ticket_active_long_stay_at": "ticket (clinic_id, long_stay_at) WHERE status = 'active'",
    "ix_ticket_active_ready_at": "ticket (clinic_id, ready_at) WHERE status = 'active' AND ready_at IS NOT NULL",
}
CATEGORY = "standardized_reason", "ck_standardized_reason_category"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(f"ALTER TABLE ticket {', '.join(COLUMNS)}")
    op.execute(FLOW)
    op.execute("DROP TRIGGER IF EXISTS flow ON ticket")
    op.execute(
        f"CREATE TRIGGER flow BEFORE INSERT OR UPDATE OF {WRITTEN} ON ticket FOR EACH ROW"
        " EXECUTE FUNCTION ticket_flow()"
    )
    op.execute("ALTER TABLE ticket ENABLE ALWAYS TRIGGER flow")
    op.execute("ALTER TABLE ticket DROP CONSTRAINT IF EXISTS ck_ticket_ready")
    op.execute(f"ALTER TABLE ticket ADD CONSTRAINT ck_ticket_ready CHECK ({READY}) NOT VALID")
    with op.get_context().autocommit_block():
        # It waits for older transactions, and nobody waits for it meanwhile: an export may take minutes.
        op.execute("SET lock_timeout = 0")
        op.execute("ALTER TABLE ticket VALIDATE CONSTRAINT ck_ticket_ready")
        op.execute(FILL)
        op.execute("RESET lock_timeout")
    build_beside_writers(INDEXES)
    # In one transaction with the revision: it happens once.
    op.execute("SET LOCAL lock_timeout = '3s'")
    _categories("'modification', 'annulment', 'delay', 'initial'")
    _delays()
    op.execute(stamp_ticket(FIGURES))
    stamp_table("delay", (Rule("tickets"), Rule("figures")), beside=STAMPED_BY_0021)


def _categories(known: str) -> None:
    table, constraint = CATEGORY
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK (category in ({known}))")


def _delays() -> None:
    op.create_table(
        "delay",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.String(length=30), nullable=False),
        sa.Column("reason_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("set_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_delay_ended")),
        sa.CheckConstraint("ended_at >= set_at", name=op.f("ck_delay_order")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_delay_clinic_id")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "ticket_id"],
            ["ticket.clinic_id", "ticket.id"],
            name=op.f("fk_delay_clinic_id_ticket_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "reason_id"],
            ["standardized_reason.clinic_id", "standardized_reason.id"],
            name=op.f("fk_delay_clinic_id_reason_id"),
        ),
        sa.ForeignKeyConstraint(["set_by_id"], ["app_user.id"], name=op.f("fk_delay_set_by_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delay")),
    )
    op.create_index("ix_delay_ticket", "delay", ["clinic_id", "ticket_id", "id"])
    op.create_index(
        "uq_delay_open",
        "delay",
        ["clinic_id", "ticket_id", "reason_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    unstamp_table("delay", beside=STAMPED_BY_0021)
    op.execute(stamp_ticket(FIGURES_BEFORE))
    op.drop_table("delay")
    op.execute("DELETE FROM standardized_reason WHERE category = 'delay'")
    _categories("'modification', 'annulment', 'initial'")
    op.execute("DROP TRIGGER flow ON ticket")
    op.execute("DROP FUNCTION ticket_flow()")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute("ALTER TABLE ticket DROP CONSTRAINT ck_ticket_ready")
    op.execute("ALTER TABLE ticket DROP COLUMN ready_at, DROP COLUMN ready_by, DROP COLUMN long_stay_at")
