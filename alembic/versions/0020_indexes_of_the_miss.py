"""Indexes for what a dashboard reads of the tickets themselves: today's discharges, and a surgery's newest tickets.

Built without holding up writers. Where it is broken off it begins again.
"""

from alembic import op

from core.db.schema.indexes import build_beside_writers

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_ticket_clinic_id_discharged_at": "ticket (clinic_id, discharged_at) WHERE discharged_at IS NOT NULL",
    "ix_ticket_clinic_id_surgery_id_created_at": "ticket (clinic_id, surgery_id, created_at)",
}


def upgrade() -> None:
    build_beside_writers(INDEXES)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
