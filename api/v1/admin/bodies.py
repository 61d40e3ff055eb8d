"""What a superuser sends to the cache."""

from typing import Literal

from pydantic import ConfigDict, Field

from api.requests.fields import Body, JsonId


class InvalidationIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"clinic_id": 5, "topic": "figures"}, {"topic": "catalogs"}, {}]}
    )

    clinic_id: JsonId | None = Field(None, description="Null: every clinic, and global rows.")
    topic: Literal["tickets", "figures", "catalogs", "clinics", "users"] | None = Field(
        None, description="Null: every topic, and every namespace of `@cache` routes."
    )
