"""The contract's operations, each asked for by its rule, and the rows that a request may name."""

from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from tests.factories import rows
from tests.factories.fixtures import ClinicSeed
from tests.support.contract.rules import Rule, Target


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str

    def request(self, client: httpx.AsyncClient, rule: Rule, target: Target, **query: object) -> Any:
        path = self.path.format(**rule.path(target))
        return client.request(self.method, path, params=query or None, **rule.sent(target))  # type: ignore[arg-type]


def operations(app: FastAPI) -> list[Operation]:
    paths = app.openapi()["paths"]
    return [
        Operation(found["operationId"], method.upper(), path)
        for path, item in paths.items()
        for method, found in item.items()
    ]


async def target_in(connection: rows.Connection, clinic: ClinicSeed) -> Target:
    """Its rows, each text of them with the clinic's name in it."""
    mark = clinic.prefix.lower()
    for table, column in (
        ("specialty", "name"),
        ("surgery", "name"),
        ("doctor", "name"),
        ("standardized_reason", "reason"),
    ):
        await connection.execute(f"UPDATE {table} SET {column} = {column} || ' {mark}' WHERE clinic_id = $1", clinic.id)
    await connection.execute("UPDATE patient SET first_name = $2 WHERE clinic_id = $1", clinic.id, mark)
    ticket_id = await clinic.ticket(
        connection, id=f"TH-{clinic.prefix}-2026-900", number=900,
        surgery_name=mark, location=mark, created_by=clinic.clinical,
    )  # fmt: skip
    await rows.modification(connection, clinic.id, ticket_id, reason=mark, modified_by=clinic.clinical)
    reason_id = await rows.reason(connection, clinic.id, "delay", reason=f"Delay {mark}")
    delay_id = await rows.delay(
        connection, clinic.id, ticket_id, reason_id, reason=mark, note=mark, set_by=clinic.clinical
    )
    user_id = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", clinic.viewer)
    session_id = await connection.fetchval(
        "INSERT INTO user_session (token_hash, user_id, clinic_id, client, expires_at, idle_seconds)"
        " VALUES (sha256($1::bytea), $2, $3, 'mobile', now() + interval '1 hour', 3600) RETURNING id",
        mark.encode(), user_id, clinic.id,
    )  # fmt: skip
    return Target(clinic, ticket_id, delay_id, user_id, session_id)
