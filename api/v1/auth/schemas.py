"""What signing in takes and answers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.config import JsonDict

from api.schemas import In, Out, storable
from core.access import Role
from core.users.password_rules import LONGEST, SHORTEST

Client = Literal["web", "mobile", "display"]

USER: JsonDict = {"id": 4, "username": "admin_sant", "email": "admin_sant@example.org", "role": "admin", "clinic_id": 5}
SESSION: JsonDict = {"user": USER, "expires_at": "2025-01-15T20:30:00-03:00", "idle_seconds": 3600}
OPEN_SESSION: JsonDict = {
    "id": 81,
    "client": "web",
    "created_at": "2025-01-15T08:30:00-03:00",
    "last_seen_at": "2025-01-15T10:12:00-03:00",
    "expires_at": "2025-01-15T20:30:00-03:00",
    "ip": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
    "current": True,
}

Password = Annotated[SecretStr, BeforeValidator(storable), Field(min_length=1, max_length=LONGEST)]


class LoginIn(In):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "admin_sant", "password": "ticket-home-demo", "client": "web"}]}
    )

    username: str = Field(min_length=1, max_length=254, description="The user name or the email; case does not matter.")
    password: Password
    client: Client = Field(
        "web",
        description="`web` gets a cookie; `mobile` a token for `Authorization: Bearer`; `display` likewise, "
        "for wall screens: viewers only, read-only, 30 days.",
    )


class PasswordIn(In):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"current_password": "ticket-home-demo", "new_password": "four words of my own"}]
        }
    )

    current_password: Password
    new_password: Password = Field(
        description=f"{SHORTEST} characters or more, not a common one, not the user name. Spaces count."
    )


class UserOut(Out):
    id: int = Field(examples=[4])
    username: str = Field(examples=["admin_sant"])
    email: str = Field(examples=["admin_sant@example.org"])
    role: Role = Field(examples=["admin"])
    clinic_id: int | None = Field(description="Null for a superuser.", examples=[5])


class SessionOut(Out):
    """Who is signed in, and until when."""

    model_config = ConfigDict(json_schema_extra={"examples": [SESSION]})

    user: UserOut
    expires_at: datetime = Field(description="Clinic-local.", examples=["2025-01-15T20:30:00-03:00"])
    idle_seconds: int | None = Field(
        description="Without a request for so long the session ends; null: no such limit.", examples=[3600]
    )


class LoginOut(SessionOut):
    model_config = ConfigDict(json_schema_extra={"examples": [SESSION | {"token": "k3Vt…"}]})

    token: str | None = Field(
        None, description="For `Authorization: Bearer`; of mobile and display logins.", examples=["k3…"]
    )


class OpenSession(Out):
    """One of one's own sessions. Times are clinic-local."""

    id: int = Field(examples=[81])
    client: Client
    created_at: datetime = Field(examples=["2025-01-15T08:30:00-03:00"])
    last_seen_at: datetime = Field(description="Up to five minutes behind.", examples=["2025-01-15T10:12:00-03:00"])
    expires_at: datetime = Field(examples=["2025-01-15T20:30:00-03:00"])
    ip: str | None = Field(examples=["192.0.2.7"])
    user_agent: str | None = Field(examples=["Mozilla/5.0"])
    current: bool = Field(description="The one that asks.")


class OpenSessions(Out):
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [OPEN_SESSION]}]})

    items: list[OpenSession]
