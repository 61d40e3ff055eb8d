"""Indexes for the orders of a list of tickets, of which a page then reads some dozens of a million.

By surgery and by patient they hold the first letters of what is ordered by: whole, the longest names would be more than
an index takes. Built without holding up writers. Where it is broken off it begins again.
"""

from alembic import op

from core.db.schema.indexes import build_beside_writers

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_ticket_clinic_id_current_fpa": "ticket (clinic_id, current_fpa, id)",
    "ix_ticket_clinic_id_surgery_order": 'ticket (clinic_id, "left"(surgery_order, 400), id)',
    "ix_ticket_without_patient": "ticket (clinic_id, id) WHERE patient_id IS NULL",
    "ix_ticket_created_by_id": "ticket (created_by_id, created_at, id) WHERE created_by_id IS NOT NULL",
    "ix_patient_clinic_id_name_order": 'patient (clinic_id, "left"(name_order, 600))',
}


def upgrade() -> None:
    build_beside_writers(INDEXES)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
