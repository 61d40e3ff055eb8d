"""A body of JSON, read once and strictly (RFC 8259): in UTF-8, unpacked, and no name twice in an object."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import Request

from api.requests.headers.request_headers import headers_of
from core.errors import FieldError, Invalid, Malformed, WrongMediaType

UTF_8 = frozenset({"utf-8", "utf8"})
_JSON = re.compile(r"application/([a-z0-9!#$&^_.+-]+\+)?json")
NAMED = 20
"""Refused fields that an answer names, at most: a body could have a hundred thousand."""


class JsonRequest(Request):
    """FastAPI's own reading takes UTF-16 and UTF-32 for JSON, and of a name that comes twice the last."""

    async def json(self) -> Any:
        """The body's value, None where there is no body. Raises Malformed, and Invalid for names that come twice."""
        if not hasattr(self, "_json"):
            body = await self.body()
            self._json = parsed(body) if body else None
        return self._json


async def refuse_other_than_json(request: Request) -> None:
    """Raises WrongMediaType for a body whose Content-Type does not say JSON in UTF-8, and for a compressed one: nothing
    is unpacked here, for few bytes could become very many. A request without a body needs no Content-Type."""
    is_readable = is_json(request.headers.get("content-type", "")) and is_plain(
        headers_of(request.scope).content_encoding
    )
    if not is_readable and await request.body():
        raise WrongMediaType(
            "Send the body as JSON in UTF-8, with Content-Type: application/json and without Content-Encoding."
        )


def is_plain(content_encoding: str | None) -> bool:
    encodings = (content_encoding or "").lower().split(",")
    return {encoding.strip() for encoding in encodings} <= {"", "identity"}


def is_json(content_type: str) -> bool:
    """Whether FastAPI parses a body of this type as JSON, and no `charset` in it names another encoding than UTF-8."""
    essence, *parameters = content_type.lower().split(";")
    named = [parameter.partition("=") for parameter in parameters]
    # RFC 2231's `charset*` and `charset*0` too.
    charsets = {value.strip().strip('"') for name, _, value in named if name.strip().partition("*")[0] == "charset"}
    return _JSON.fullmatch(essence.strip()) is not None and charsets <= UTF_8


def parsed(body: bytes) -> Any:
    """The body's value. Raises Malformed for what is no JSON, and Invalid with the paths of names that come twice in an
    object."""
    repeated: list[tuple[dict[str, Any], list[str]]] = []

    def made(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            times = Counter(name for name, _ in pairs)
            repeated.append((found, [name for name in found if times[name] > 1][:NAMED]))
        return found

    try:
        # As text: of bytes Python guesses the encoding.
        value = json.loads(body.decode(), object_pairs_hook=made)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not valid JSON.") from error
    if repeated:
        names = {id(found): of_it for found, of_it in repeated}
        paths = [place + name for place, found in objects(value) for name in names.get(id(found), ())]
        raise Invalid(*(FieldError(path, "repeated", "It takes one value.") for path in paths[:NAMED]))
    return value


def objects(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, object) of each object in a parsed body. The path is what stands before the object's names: "" for the
    outermost, then `patient.`, `items.0.`"""
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        path, one = left.pop()
        if isinstance(one, dict):
            yield path, one
        inner = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        left += [(f"{path}{name}.", each) for name, each in inner if isinstance(each, dict | list)]
