"""A body that is a file: taken as it comes, and no form and no JSON around it."""

from fastapi import Request

from api.requests.body import is_plain
from api.requests.headers.request_headers import headers_of
from core.errors import WrongMediaType


class FileInBody:
    """A dependency: the body's bytes. `says`: for people, what is taken; `media_types`: all that may be said of it."""

    def __init__(self, says: str, media_types: frozenset[str]) -> None:
        self._says = says
        self._media_types = media_types

    async def __call__(self, request: Request) -> bytes:
        return await request.body()

    async def refuse_others(self, request: Request) -> None:
        """Raises WrongMediaType for a body whose Content-Type says that it is none of these, and for a compressed one.
        Without a Content-Type it is taken: a browser does not know the type of every file."""
        essence = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_taken = not essence or essence in self._media_types
        if not (is_taken and is_plain(headers_of(request.scope).content_encoding)):
            raise WrongMediaType(f"Send {self._says} as it is, without Content-Encoding.", code="unsupported_file_type")
