"""Indexes for what a dashboard reads of the tickets themselves: today's discharges, and a surgery's newest tickets.

Built without holding up writers. Where it is broken off it begins again.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_ticket_clinic_id_discharged_at": "(clinic_id, discharged_at) WHERE discharged_at IS NOT NULL",
    "ix_ticket_clinic_id_surgery_id_created_at": "(clinic_id, surgery_id, created_at)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # It waits for older transactions, and nobody waits for it meanwhile: an export may take minutes.
        op.execute("SET lock_timeout = 0")
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON ticket {columns}")
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
