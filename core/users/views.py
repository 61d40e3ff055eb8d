"""Users as those who administer them see them: never with a password's hash."""

from datetime import datetime

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from core.access import Role
from core.answer_model import AnswerModel

USER: JsonDict = {
    "id": 4,
    "username": "clinical_sant",
    "email": "clinical_sant@example.org",
    "role": "clinical",
    "clinic_id": 5,
    "is_active": True,
    "sso_only": False,
    "created_at": "2025-01-15T12:30:00-03:00",
}


class UserItem(AnswerModel):
    model_config = ConfigDict(json_schema_extra={"examples": [USER]})

    id: int
    username: str
    email: str
    role: Role
    clinic_id: int | None = Field(description="Null for a superuser.")
    is_active: bool
    sso_only: bool = Field(description="Without a password: comes in by single sign-on alone.")
    created_at: datetime = Field(description="Clinic-local.")


class UserList(AnswerModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [USER], "next": None}]})

    items: list[UserItem]
    next: str | None = Field(description="`cursor` of the next page; null: there is none.")


class DisplayCodeOut(AnswerModel):
    """What is typed in at the wall."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"code": "7K3M-9QXD-2HVT", "session_id": 82, "expires_at": "2025-01-15T12:40:00-03:00"}]
        }
    )

    code: str
    session_id: int = Field(description="Of the session that it will be.")
    expires_at: datetime = Field(description="When the code does. Local time of whoever made it.")
