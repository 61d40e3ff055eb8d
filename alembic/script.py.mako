"""${message}

Old code goes on serving while this runs: expand first, contract in a later release. Indexes on full tables are built
in a migration of their own (`build_beside_writers`, core/db/schema/indexes.py). Whoever takes something away says which code is
the oldest that works without it: `op.execute(oldest_code("00NN"))` (core/db/schema/compatibility.py), undone in downgrade.
A table that a cached answer reads stamps versions (core/db/schema/stamping.py).
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    ${downgrades if downgrades else "pass"}
