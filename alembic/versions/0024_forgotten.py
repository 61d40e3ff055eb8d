"""When the end of a stay was written, which a patient's leaving may long have preceded: what the nursing board shows of
ended stays is what was written lately.

A trigger keeps it, so the release before this one does, too. Null for what ended before: what stands beside it is taken
then. The index is built without holding up writers; where that is broken off it begins again. The one that the release
before reads stays.
"""

from alembic import op

from core.db.schema.indexes import build_beside_writers

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

KEPT = """
CREATE OR REPLACE FUNCTION ticket_end_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status THEN
        NEW.end_recorded_at := CASE WHEN NEW.status <> 'active' THEN clock_timestamp() END;
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE ticket ADD COLUMN IF NOT EXISTS end_recorded_at timestamptz")
    op.execute(KEPT)
    op.execute("DROP TRIGGER IF EXISTS end_recorded ON ticket")
    op.execute(
        "CREATE TRIGGER end_recorded BEFORE UPDATE OF status ON ticket FOR EACH ROW"
        " EXECUTE FUNCTION ticket_end_recorded()"
    )
    op.execute("ALTER TABLE ticket ENABLE ALWAYS TRIGGER end_recorded")
    build_beside_writers(
        {"ix_ticket_ended": "ticket (clinic_id, coalesce(end_recorded_at, annulled_at, discharged_at))"}
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP INDEX ix_ticket_ended")
    op.execute("DROP TRIGGER end_recorded ON ticket")
    op.execute("DROP FUNCTION ticket_end_recorded()")
    op.execute("ALTER TABLE ticket DROP COLUMN end_recorded_at")
