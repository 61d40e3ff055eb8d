"""Users as those who administer them see them: never with a password's hash."""

from datetime import datetime

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from core.access import Role
from core.views import View

USER: JsonDict = {
    "id": 4,
    "username": "clinical_sant",
    "email": "clinical_sant@example.org",
    "role": "clinical",
    "clinic_id": 5,
    "is_active": True,
    "created_at": "2025-01-15T12:30:00-03:00",
}


class UserItem(View):
    model_config = ConfigDict(json_schema_extra={"examples": [USER]})

    id: int
    username: str
    email: str
    role: Role
    clinic_id: int | None = Field(description="Null for a superuser.")
    is_active: bool
    created_at: datetime = Field(description="Clinic-local.")


class UserList(View):
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [USER], "next": None}]})

    items: list[UserItem]
    next: str | None = Field(description="`cursor` of the next page; null: there is none.")
