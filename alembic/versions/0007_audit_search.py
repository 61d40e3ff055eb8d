"""The audits' searches: by user, action and target, the newest first."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAME = sa.literal_column("lower(username)")
INDEXES = {
    "login_audit": {
        "at": ["at"],
        "user_id_at": ["user_id", "at"],
        "lower_username_at": [NAME, "at"],
        "outcome_at": ["outcome", "at"],
    },
    "action_audit": {
        "at": ["at"],
        "user_id_at": ["user_id", "at"],
        "lower_username_at": [NAME, "at"],
        "action_at": ["action", "at"],
        "target_id_at": ["target_id", "at"],
    },
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table, indexes in INDEXES.items():
        for name, columns in indexes.items():
            op.create_index(f"ix_{table}_{name}", table, columns)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table, indexes in INDEXES.items():
        for name in indexes:
            op.drop_index(f"ix_{table}_{name}", table)
