"""fastapi-cache2's Coder: what a route returned as JSON bytes, and back."""

from functools import lru_cache
from typing import Any

from fastapi_cache import Coder
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json
from starlette.responses import Response


class JsonCoder(Coder):
    """JSON only, never pickle: what lies in Redis must not be able to run."""

    @classmethod
    def encode(cls, value: Any) -> bytes:
        """What a route returned, as JSON; empty for what must not be kept: a Response that is no JSON, or not a 200."""
        if not isinstance(value, Response):
            return to_json(value)
        is_json = value.headers.get("content-type", "").partition(";")[0] == "application/json"
        return bytes(value.body) if is_json and value.status_code == 200 else b""

    @classmethod
    def decode(cls, value: bytes) -> Any:
        return from_json(value)

    @classmethod
    def decode_as_type(cls, value: bytes, *, type_: Any = None) -> Any:
        """The bytes as the route's return type `type_`; None: as plain JSON. As fastapi-cache2's own coders do it."""
        if isinstance(type_, type) and issubclass(type_, Response):
            return Response(value, media_type="application/json")
        return cls.decode(value) if type_ is None else _adapter_of(type_).validate_json(value)


@lru_cache(maxsize=512)
def _adapter_of(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_)
