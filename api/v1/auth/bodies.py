"""What signing in takes."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr

from api.requests.fields import Body, storable
from core.users.passwords.rules import LONGEST, SHORTEST

Client = Literal["web", "mobile", "display"]

Password = Annotated[SecretStr, BeforeValidator(storable), Field(min_length=1, max_length=LONGEST)]


class LoginIn(Body):
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


class DisplayCodeIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "7K3M-9QXD-2HVT"}]})

    code: str = Field(min_length=1, max_length=40, description="Case, blanks and hyphens do not matter.")


class PasswordIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"current_password": "ticket-home-demo", "new_password": "four words of my own"}]
        }
    )

    current_password: Password
    new_password: Password = Field(
        description=f"{SHORTEST} characters or more, not a common one, not the user name. Spaces count."
    )
