"""Which versions a kept answer's write stamped: its repetition tells them too."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("idempotency_key", sa.Column("stamped", sa.Text(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("idempotency_key", "stamped")
