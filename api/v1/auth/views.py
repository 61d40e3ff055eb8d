"""What signing in answers, and the list of one's own sessions."""

from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from api.v1.auth.bodies import Client
from core.access import Role
from core.answer_model import AnswerModel
from core.clock import shown, zone
from core.sessions.copies import SessionCopy
from core.sessions.models import UserSession
from core.users.sign_in import SignedIn

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


class MethodsOut(AnswerModel):
    """How somebody at a browser may sign in."""

    password: bool = Field(
        description="By `POST /v1/auth/login`; mobile and display clients always may.", examples=[True]
    )
    sso: bool = Field(description="By `POST /v1/auth/iap`.", examples=[False])


class UserOut(AnswerModel):
    id: int = Field(examples=[4])
    username: str = Field(examples=["admin_sant"])
    email: str = Field(examples=["admin_sant@example.org"])
    role: Role = Field(examples=["admin"])
    clinic_id: int | None = Field(description="Null for a superuser.", examples=[5])


class SessionOut(AnswerModel):
    """Who is signed in, and until when."""

    model_config = ConfigDict(json_schema_extra={"examples": [SESSION]})

    user: UserOut
    expires_at: datetime = Field(description="Clinic-local.", examples=["2025-01-15T20:30:00-03:00"])
    idle_seconds: int | None = Field(
        description="Without a request for so long the session ends; null: no such limit.", examples=[3600]
    )

    @classmethod
    def of(cls, one: SignedIn | SessionCopy) -> "SessionOut":
        ends = one.expires_at if isinstance(one, SignedIn) else datetime.fromtimestamp(one.expires_at, UTC)
        return cls(
            user=UserOut(
                id=one.user_id, username=one.username, email=one.email, role=one.role, clinic_id=one.clinic_id
            ),
            expires_at=shown(ends, zone(one.timezone)),
            idle_seconds=one.idle_seconds,
        )


class LoginOut(SessionOut):
    model_config = ConfigDict(json_schema_extra={"examples": [SESSION | {"token": "k3Vt…"}]})

    token: str | None = Field(
        None, description="For `Authorization: Bearer`; of mobile and display logins.", examples=["k3…"]
    )


class OpenSession(AnswerModel):
    """One of one's own sessions. Times are clinic-local."""

    id: int = Field(examples=[81])
    client: Client
    created_at: datetime = Field(examples=["2025-01-15T08:30:00-03:00"])
    last_seen_at: datetime = Field(description="Up to five minutes behind.", examples=["2025-01-15T10:12:00-03:00"])
    expires_at: datetime = Field(examples=["2025-01-15T20:30:00-03:00"])
    ip: str | None = Field(examples=["192.0.2.7"])
    user_agent: str | None = Field(examples=["Mozilla/5.0"])
    current: bool = Field(description="The one that asks.")

    @classmethod
    def of(cls, one: UserSession, local: ZoneInfo, asking: int) -> "OpenSession":
        return cls(
            id=one.id,
            client=cast("Client", one.client),
            created_at=shown(one.created_at, local),
            last_seen_at=shown(one.last_seen_at, local),
            expires_at=shown(one.expires_at, local),
            ip=one.ip,
            user_agent=one.user_agent,
            current=one.id == asking,
        )


class OpenSessions(AnswerModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [OPEN_SESSION]}]})

    items: list[OpenSession]
