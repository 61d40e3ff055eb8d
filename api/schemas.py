"""What all request and answer models share."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

T = TypeVar("T")

MAX_ID = 2**31 - 1

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
"""A row's id: within PostgreSQL's `integer`."""


def storable(value: Any) -> Any:
    """Refuse text that PostgreSQL cannot hold: NUL, and halves of a surrogate pair."""
    if isinstance(value, str) and ("\x00" in value or any("\ud800" <= character <= "\udfff" for character in value)):
        raise ValueError("contains characters that are not text")
    return value


Text = Annotated[str, BeforeValidator(storable)]
"""Storable text, for query and path parameters; bodies' strings are checked by `In`."""

Checked = Annotated[T, BeforeValidator(storable)]


class In(BaseModel):
    """A request's body: unknown fields are refused, strings are trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class Out(BaseModel):
    model_config = ConfigDict(frozen=True)
