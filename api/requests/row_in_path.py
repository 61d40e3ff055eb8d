"""The row that a path names by its number."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Path, Request

from api.requests.authentication import authenticate
from api.requests.dependencies import runtime_of
from api.requests.fields import Id
from api.requests.routing import when_refused
from core.access import Actor
from core.db.row_ids import row_id
from core.db.transaction import ReadSession
from core.errors import Invalid, NotFound

Require = Callable[[ReadSession, Actor, int], Awaitable[object]]


def row_named(parameter: str, example: int, require: Require) -> Any:
    """A dependency that gives the id which a path with `{parameter}` names; `example` is the contract's.

    `require` raises where the row does not exist for the actor. It is asked only where the rest of the request is
    refused: otherwise the route's work itself finds the row, under its lock.
    """

    async def exists(request: Request) -> None:
        actor = await authenticate(request)
        row_id = _read(request.path_params[parameter], parameter)

        async def work(session: ReadSession) -> None:
            await require(session, actor, row_id)

        await runtime_of(request).database.read(work)

    @when_refused(exists)
    async def given(row_id: Annotated[Id, Path(alias=parameter, examples=[example])]) -> int:
        return row_id

    return Depends(given)


def _read(text: str, parameter: str) -> int:
    """Raises Invalid for what is no number, and NotFound for one that no row has."""
    if not (text.isascii() and text.isdigit()):
        raise Invalid.field(parameter, "invalid", "It is a number.")
    found = row_id(text)
    if found is None:
        raise NotFound
    return found
