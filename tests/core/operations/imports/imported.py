"""What an import has brought into the test's own database."""

import json
from datetime import datetime
from typing import Any

from core.clock import zone
from tests.factories import rows

SANTIAGO = zone("America/Santiago")


async def users(connection: rows.Connection) -> dict[str, Any]:
    """By name."""
    found = await connection.fetch("SELECT * FROM app_user")
    return {row["username"]: row for row in found}


async def history_of(connection: rows.Connection, ticket_id: str) -> dict[str, Any]:
    """What the ticket's history tells of its import."""
    changes = await connection.fetchval(
        "SELECT changes FROM action_audit WHERE action = 'ticket.imported' AND target_id = $1", ticket_id
    )
    found: dict[str, Any] = json.loads(changes) if changes else {}
    return found


def in_santiago(instant: datetime) -> str:
    return f"{instant.astimezone(SANTIAGO):%Y-%m-%d %H:%M}"
