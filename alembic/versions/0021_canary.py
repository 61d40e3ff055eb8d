"""A row that is written every few seconds and read through the cache, so that operators see how old answers are.

Stamped as the others are, with a topic of its own. It is another fingerprint: what was cached is read anew, once.
"""

import sqlalchemy as sa
from alembic import op

from core.db.schema.stamping import STAMPED_BY_0015, Rule, stamp_table, unstamp_table

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "canary",
        sa.Column("is_only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("is_only", name=op.f("ck_canary_is_only")),
        sa.PrimaryKeyConstraint("is_only", name=op.f("pk_canary")),
        postgresql_with={"fillfactor": "50"},
    )
    stamp_table("canary", (Rule("canary", clinic="0"),), beside=STAMPED_BY_0015)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    unstamp_table("canary", beside=STAMPED_BY_0015)
    op.drop_table("canary")
