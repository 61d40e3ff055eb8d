"""Indexes by which an active ticket's episode and bed are found, in whatever way they are written.

Built without holding up writers. Where it is broken off it begins again.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

COLUMNS = ("episode_id", "bed_number")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # It waits for older transactions, and nobody waits for it meanwhile: an export may take minutes.
        op.execute("SET lock_timeout = 0")
        for column in COLUMNS:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS ix_ticket_active_{column}")
            op.execute(
                f"CREATE INDEX CONCURRENTLY ix_ticket_active_{column} ON ticket (clinic_id, folded_text({column}))"
                f" WHERE status = 'active' AND {column} IS NOT NULL"
            )
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for column in COLUMNS:
        op.execute(f"DROP INDEX ix_ticket_active_{column}")
