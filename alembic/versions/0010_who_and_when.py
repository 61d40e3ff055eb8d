"""Who set the thresholds and when; what each imported ticket was as it came, so that a later import knows what changed.

Expand only: the release before this one writes thresholds without saying who, and the trigger then says that nobody
knows, so that it never puts a change down to whoever made the one before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TELL = """
CREATE FUNCTION threshold_set() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at
        AND (OLD.red_hours, OLD.yellow_hours, OLD.green_hours) <> (NEW.red_hours, NEW.yellow_hours, NEW.green_hours)
    THEN
        NEW.updated_at := clock_timestamp();
        NEW.updated_by := NULL;
    END IF;
    RETURN NEW;
END $$
"""
TRIGGER = (
    "CREATE TRIGGER threshold_set BEFORE UPDATE ON urgency_threshold FOR EACH ROW EXECUTE FUNCTION threshold_set()"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("urgency_threshold", sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("urgency_threshold", sa.Column("updated_by", sa.String(length=80), nullable=True))
    op.execute(TELL)
    op.execute(TRIGGER)
    op.create_table(
        "legacy_ticket",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("fingerprint", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legacy_ticket")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("legacy_ticket")
    op.execute("DROP TRIGGER threshold_set ON urgency_threshold")
    op.execute("DROP FUNCTION threshold_set()")
    op.drop_column("urgency_threshold", "updated_by")
    op.drop_column("urgency_threshold", "updated_at")
