"""The action audit, as it lies in the database."""

import json
from typing import Any

from tests.factories import rows


async def audits(connection: rows.Connection, *actions: str) -> list[dict[str, Any]]:
    """Its rows, the oldest first, with `changes` read; only of these actions, if any are named."""
    found = await connection.fetch(
        "SELECT * FROM action_audit WHERE $1 OR action = ANY($2) ORDER BY id", not actions, actions
    )
    return [dict(row) | {"changes": json.loads(row["changes"])} for row in found]


async def last_audit(connection: rows.Connection) -> dict[str, Any]:
    return (await audits(connection))[-1]
