"""What answers and the audit tell."""

import json
from typing import Any

import httpx

from tests.factories import rows


def codes(answer: httpx.Response) -> list[tuple[str, str]]:
    """Path and code of each refused field."""
    assert answer.status_code == 422, answer.text
    return [(error["path"], error["code"]) for error in answer.json()["errors"]]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def audits(connection: rows.Connection, *actions: str) -> list[dict[str, Any]]:
    """The action audit, the oldest first; only of these actions, if any."""
    found = await connection.fetch(
        "SELECT * FROM action_audit WHERE $1 OR action = ANY($2) ORDER BY id", not actions, actions
    )
    return [dict(row) | {"changes": json.loads(row["changes"])} for row in found]


async def last_audit(connection: rows.Connection) -> dict[str, Any]:
    return (await audits(connection))[-1]
