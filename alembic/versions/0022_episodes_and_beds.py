"""Indexes by which an active ticket's episode and bed are found, in whatever way they are written.

Built without holding up writers. Where it is broken off it begins again.
"""

from alembic import op

from core.db.schema.indexes import build_beside_writers

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

COLUMNS = ("episode_id", "bed_number")


def upgrade() -> None:
    build_beside_writers(
        {
            f"ix_ticket_active_{column}": f"ticket (clinic_id, folded_text({column}))"
            f" WHERE status = 'active' AND {column} IS NOT NULL"
            for column in COLUMNS
        }
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for column in COLUMNS:
        op.execute(f"DROP INDEX ix_ticket_active_{column}")
