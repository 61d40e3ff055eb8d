"""The types of what a query, a path or a body says, and the base of bodies."""

import re
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from core.db.row_ids import MAX_ID, row_id
from core.text import clean

_DIGITS = re.compile(r"[0-9]+")


def in_digits(value: Any) -> Any:
    """Refuse ` 5`, `+5`, `5.0`, `5_0` and other scripts' digits in a query or a path, which pydantic would take."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("must be a number, in digits")
    return value


def id_in_digits(value: Any) -> Any:
    """Refuse what `row_id` reads as no row's id: a 404 is decided by the same reading, before the rest is refused."""
    if isinstance(value, str) and (value := row_id(value)) is None:
        raise ValueError("must be the number of a row, in digits")
    return value


Digits = BeforeValidator(in_digits)
"""Of a number in a query or a path. It stands behind the bounds in an annotation, so that the contract has them."""
Id = Annotated[int, Field(ge=1, le=MAX_ID), BeforeValidator(id_in_digits)]
"""A row's id: within PostgreSQL's `integer`."""


def storable(value: Any) -> Any:
    """Refuse text that PostgreSQL cannot hold: NUL, and halves of a surrogate pair."""
    if isinstance(value, str) and ("\x00" in value or any("\ud800" <= character <= "\udfff" for character in value)):
        raise ValueError("contains characters that are not text")
    return value


LONGEST = 10_000
"""Characters of one text before it is cleaned, which costs by their number; every field's own bound is far below."""


def cleaned(value: Any) -> Any:
    """Text in the form in which it is stored and compared; bounds are those of what is left."""
    value = storable(value)
    if not isinstance(value, str):
        return value
    if len(value) > LONGEST:
        raise ValueError("is too long")
    return clean(value)


Opaque = Annotated[str, BeforeValidator(storable)]
"""What a query brings back as it was given, or is parsed by its route."""
Text = Annotated[str, BeforeValidator(cleaned)]
"""What a query says in words; bodies' texts are cleaned by `Body`."""


_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,12})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def number(value: Any) -> Any:
    """Refuse `"3"`, `true` and `3.0`, which pydantic would take for 3, 1 and 3: in JSON a number is written as one."""
    if value is not None and type(value) is not int:
        raise ValueError("must be a whole number")
    return value


def written_time(value: Any) -> Any:
    """Refuse what pydantic would guess at: a number as seconds since 1970, a date as its midnight."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("must be a time such as 2025-01-15T14:30, with or without an offset")
    return value


def written_date(value: Any) -> Any:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date such as 2025-01-17")
    return value


JsonInt = Annotated[int, BeforeValidator(number)]
"""For bodies; a query's and a path's numbers come as text."""
JsonId = Annotated[Id, BeforeValidator(number)]
WrittenTime = Annotated[
    datetime,
    BeforeValidator(written_time),
    # Not `date-time`: that is RFC 3339's, with offset and seconds, and strict clients would refuse to send less.
    WithJsonSchema({"type": "string"}),
]
LOCAL = "With an offset, or without one: the clinic's local time."
Time = Annotated[WrittenTime, Field(description=LOCAL, examples=["2025-01-15T14:30"])]
SurgeryTime = Annotated[
    WrittenTime,
    Field(
        description=f"{LOCAL} At most 30 days past and 400 ahead, or it is `implausible_time`.",
        examples=["2025-01-15T14:30"],
    ),
]
Date = Annotated[date, BeforeValidator(written_date), Field(examples=["2025-01-17"])]


class Body(BaseModel):
    """A request's body: unknown fields are refused, and every text is cleaned before its bounds are looked at.

    Passwords (`SecretStr`) and what is no text (times, codes) are taken as they were sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _cleaned(cls, value: Any, info: ValidationInfo) -> Any:
        return cleaned(value) if _is_text(cls, str(info.field_name)) else storable(value)


@cache
def _is_text(model: type[BaseModel], field: str) -> bool:
    """Whether it is `str`, or may be."""
    kinds = [model.model_fields[field].annotation]
    for kind in kinds:
        kinds += get_args(kind)
    return str in kinds
