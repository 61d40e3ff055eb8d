"""Indexes for how patients leave, which a dashboard reads of the last 30 days: discharges with all that is counted of
them, so that no ticket is looked up, and delays by when they were set.

Built without holding up writers. Where it is broken off it begins again.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_ticket_discharged": "ticket (clinic_id, discharged_at) INCLUDE (id, discharge_assumed, created_at, surgery_id,"
    " admission_at, surgery_base_hours, ready_at) WHERE discharged_at IS NOT NULL",
    "ix_delay_clinic_id_set_at": "delay (clinic_id, set_at)",
}
BEFORE = "ix_ticket_clinic_id_discharged_at"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # It waits for older transactions, and nobody waits for it meanwhile: an export may take minutes.
        op.execute("SET lock_timeout = 0")
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {BEFORE}")
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(f"CREATE INDEX {BEFORE} ON ticket (clinic_id, discharged_at) WHERE discharged_at IS NOT NULL")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
