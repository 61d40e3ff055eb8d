"""For migrations: building indexes on full tables, beside whoever writes there."""

from collections.abc import Mapping

from alembic import op


def build_beside_writers(indexes: Mapping[str, str]) -> None:
    """Build each index, name → what stands behind ON: `ticket (clinic_id, id)`. One that was broken off begins again.

    It waits for older transactions, and nobody waits for it meanwhile: an export may take minutes.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        for name, on in indexes.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")
        op.execute("RESET lock_timeout")
