"""What signing in takes and answers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr

from api.schemas import In, Out, storable
from core.access import Role

PASSWORD_LENGTH = 1024

Client = Literal["web", "mobile", "display"]

# Not trimmed: a password may begin or end with a space.
Password = Annotated[SecretStr, BeforeValidator(storable), Field(min_length=1, max_length=PASSWORD_LENGTH)]


class LoginIn(In):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "admin_sant", "password": "ticket-home-demo", "client": "web"}]}
    )

    username: Annotated[str, BeforeValidator(storable)] = Field(
        min_length=1, max_length=254, description="The user name or the email; case does not matter."
    )
    password: Password
    client: Client = Field(
        "web",
        description="`web` gets a cookie; `mobile` a token for `Authorization: Bearer`; `display` likewise, "
        "for wall screens: viewers only, read-only, 30 days.",
    )


class UserOut(Out):
    id: int = Field(examples=[4])
    username: str = Field(examples=["admin_sant"])
    email: str = Field(examples=["admin_sant@example.org"])
    role: Role = Field(examples=["admin"])
    clinic_id: int | None = Field(description="Null for a superuser.", examples=[5])


class SessionOut(Out):
    """Who is signed in, and until when."""

    user: UserOut
    expires_at: datetime = Field(description="Clinic-local.", examples=["2025-01-15T20:30:00-03:00"])
    idle_seconds: int | None = Field(
        description="Without a request for so long the session ends; null: no such limit.", examples=[3600]
    )


class LoginOut(SessionOut):
    token: str | None = Field(
        None, description="For `Authorization: Bearer`; of mobile and display logins.", examples=["k3…"]
    )
