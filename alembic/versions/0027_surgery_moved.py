"""A surgery that is moved leaves the initial FPA as it was, which may be before the new admission.

The release before this one never writes such a row, and reads it as every other. Rows are checked without holding up
writers; where that is broken off it begins again.
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TIMES = "imported or (admission_at <= surgery_at and current_fpa >= admission_at and system_fpa >= admission_at)"
TIMES_BEFORE = (
    "imported or (admission_at <= surgery_at and current_fpa >= admission_at and initial_fpa >= admission_at)"
)


def upgrade() -> None:
    _times(TIMES)
    with op.get_context().autocommit_block():
        # It waits for older transactions, and nobody waits for it meanwhile: an export may take minutes.
        op.execute("SET lock_timeout = 0")
        op.execute("ALTER TABLE ticket VALIDATE CONSTRAINT ck_ticket_times")
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    # Not validated: surgeries may have been moved.
    _times(TIMES_BEFORE)


def _times(check: str) -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE ticket DROP CONSTRAINT IF EXISTS ck_ticket_times")
    op.execute(f"ALTER TABLE ticket ADD CONSTRAINT ck_ticket_times CHECK ({check}) NOT VALID")
