"""The audits as clients see them."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy import Row

from core.answer_model import AnswerModel
from core.clock import shown, zone

LOGIN: JsonDict = {
    "id": 812,
    "at": "2025-01-15T08:30:00-03:00",
    "user_id": 4,
    "username": "admin_sant",
    "clinic_id": 5,
    "succeeded": False,
    "outcome": "password",
    "client": "web",
    "ip": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
    "request_id": "6f1c2d0a9b7e4c5d8e3f2a1b0c9d8e7f",
}
ACTION: JsonDict = {
    "id": 20731,
    "at": "2025-01-15T12:30:00-03:00",
    "user_id": 4,
    "username": "admin_sant",
    "clinic_id": 5,
    "action": "thresholds.changed",
    "target_type": "thresholds",
    "target_id": "5",
    "changes": {"red_hours": [2, 1]},
    "ip": "192.0.2.7",
    "request_id": "6f1c2d0a9b7e4c5d8e3f2a1b0c9d8e7f",
}


class LoginEntry(AnswerModel):
    id: int
    at: datetime = Field(description="Clinic-local.")
    user_id: int | None = Field(description="Null for a name that nobody had.")
    username: str = Field(description="As it was then; of an unknown one, what was typed.")
    clinic_id: int | None
    succeeded: bool
    outcome: str = Field(description="`succeeded`, or why not: `password`, `unknown`, `inactive`, `throttled`…")
    client: str
    ip: str | None
    user_agent: str | None
    request_id: str | None


class ActionEntry(AnswerModel):
    id: int
    at: datetime = Field(description="Clinic-local.")
    user_id: int | None
    username: str = Field(description="As it was then.")
    clinic_id: int | None = Field(description="The clinic acted on; null: the network, or global rows.")
    action: str
    target_type: str
    target_id: str
    changes: dict[str, Any] = Field(description="`{field: [before, after]}`")
    ip: str | None
    request_id: str | None


class LoginAudits(AnswerModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [LOGIN], "next": None}]})

    items: list[LoginEntry]
    next: str | None = Field(description="`cursor` of the next page; null: there is none.")


class ActionAudits(AnswerModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ACTION], "next": None}]})

    items: list[ActionEntry]
    next: str | None = Field(description="`cursor` of the next page; null: there is none.")


def clinic_local(row: Row[Any]) -> dict[str, Any]:
    """The row's columns, its time in the zone that stands beside it."""
    values = dict(row._mapping)
    return values | {"at": shown(row.at, zone(values.pop("timezone")))}
