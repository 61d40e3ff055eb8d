"""Users as those who administer them send them."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from api.requests.fields import Body, JsonId
from api.v1.auth.bodies import Password
from core.access import Role
from core.users.create import NewUser
from core.users.passwords.rules import SHORTEST

# No `@`: whoever signs in by their email must not meet somebody of that user name.
Username = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9._-]+$"),
    Field(description="Letters, digits, `.`, `_` and `-`; case does not matter.", examples=["clinical_sant"]),
]
Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
    Field(description="Case does not matter.", examples=["clinical_sant@example.org"]),
]
Flag = Annotated[bool, Field(strict=True)]
PASSWORD = f"{SHORTEST} characters or more, not a common one, not the user name. Spaces count."


class UserIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "username": "clinical_sant",
                    "email": "clinical_sant@example.org",
                    "role": "clinical",
                    "password": "four words of my own",
                },
                {"username": "carla", "email": "carla@example.org", "role": "viewer", "password": None},
            ]
        }
    )

    username: Username
    email: Email
    role: Role = Field(description="An admin makes viewers and clinical users.")
    clinic_id: JsonId | None = Field(
        None, description="An admin's is its own; a superuser must name it, unless for another superuser.", examples=[5]
    )
    is_active: Flag = True
    password: Password | None = Field(description=f"Null: by single sign-on alone. {PASSWORD}")

    def new(self) -> NewUser:
        return NewUser(self.username, self.email, self.role, self.clinic_id, self.is_active)


class UserChangeIn(Body):
    """Absent fields stay. A new role, clinic or password, or deactivation, ends the user's sessions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"is_active": False},
                {"password": "four words of my own"},
                {"password": None},
                {"role": "clinical"},
            ]
        }
    )

    # Without a default in the contract: absent, or a value, never null.
    username: Username = Field(default_factory=str)
    email: Email = Field(default_factory=str)
    role: Role = Field(default_factory=lambda: Role.VIEWER)
    clinic_id: JsonId | None = Field(None, description="Null for a superuser, and for nobody else.", examples=[5])
    is_active: Flag = Field(default_factory=bool)
    password: Password | None = Field(None, description=f"A new one; null: none, by single sign-on alone. {PASSWORD}")

    def values(self) -> dict[str, Any]:
        """All but the password."""
        return self.model_dump(exclude={"password"}, exclude_unset=True)
