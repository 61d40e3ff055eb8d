"""What kinds of values settings have beside numbers and switches, each refused in words that do not repeat it."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from limits import parse as parse_limit
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from core.settings.database_address import normalised
from core.settings.safe import EMAIL, ORIGIN, is_key_set_safe, is_network, is_redis, is_safe


def split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def understood(value: SecretStr) -> SecretStr:
    """For all who connect, in the form that all of them take."""
    return SecretStr(normalised(value.get_secret_value()))


def leads_to_redis(value: SecretStr) -> SecretStr:
    if not is_safe(is_redis, value):
        raise ValueError("it is no address such as rediss://:password@host:6379/0")
    return value


def proves_who_it_is(value: str) -> str:
    """Whoever could answer in its place could sign in as anybody."""
    if not is_safe(is_key_set_safe, SecretStr(value)):
        raise ValueError("https://, or http:// to this machine")
    return value


def limit(value: str) -> str:
    try:
        amount = 0 if ";" in value else parse_limit(value).amount
    except ValueError:
        amount = 0  # its message would repeat the value
    if amount < 1:
        raise ValueError("one limit of at least one attempt, like 10/15 minutes")
    return value


def each(is_one: Callable[[str], object], otherwise: str) -> AfterValidator:
    """Of a list, whether all of it is of a kind; `otherwise` is what is said where it is not."""

    def checked(value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(is_one(one) for one in value):
            raise ValueError(otherwise)
        return value

    return AfterValidator(checked)


def lowered(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.lower() for one in value)


def as_browsers_write(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.lower().removesuffix("/") for one in value)


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)]
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split)]
Proxies = Annotated[
    Listed,
    # A name, or a network that is none, would match no proxy: all clients would silently count as one.
    each(
        lambda one: one == "*" or is_network(one), "each is an address or a network, such as 10.0.0.7 or 10.30.0.0/16"
    ),
]
Origins = Annotated[
    Listed,
    AfterValidator(as_browsers_write),
    # `*` or `null` would have any page read what the user's cookie opens.
    each(ORIGIN.fullmatch, "each is scheme, host and port, such as https://pages.example"),
]
Audiences = Annotated[
    Listed,
    each(
        re.compile(r"/projects/[!-~]+").fullmatch, "each begins with /projects/, as IAP's page in the console shows it"
    ),
]
Emails = Annotated[Listed, each(EMAIL.fullmatch, "emails in ASCII, with commas between them"), AfterValidator(lowered)]
Database = Annotated[SecretStr, AfterValidator(understood)]
Redis = Annotated[SecretStr, AfterValidator(leads_to_redis)]
KeySet = Annotated[str, AfterValidator(proves_who_it_is)]
Limit = Annotated[str, AfterValidator(limit)]
