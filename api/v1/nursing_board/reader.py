"""Who reads the nursing board, and in which shape."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import QueryParams

from api.requests.authentication import authenticate
from api.requests.routing import Gate
from core.access import Actor
from core.errors import Forbidden
from core.sessions.display_codes import DISPLAY

ASKED_BY_DISPLAYS = frozenset({"clinic_id", "view", "location", "sort", "limit", "cursor"})
BY_NAME = frozenset({"doctor", "-doctor"})
"""Orders that read a name."""


class BoardReader(Gate):
    """Whoever is signed in. Raises NotAuthenticated; and Forbidden where a display searches or filters, by which a name
    could be guessed that it is not shown."""

    async def __call__(self, request: Request) -> Actor:
        actor = await authenticate(request)
        if is_display(actor) and not _is_asked_by_displays(request.query_params):
            raise Forbidden("A wall display asks by view, location, limit, cursor and an order without names only.")
        return actor


def _is_asked_by_displays(query: QueryParams) -> bool:
    return ASKED_BY_DISPLAYS.issuperset(query) and BY_NAME.isdisjoint(query.getlist("sort"))


def is_display(actor: Actor) -> bool:
    return actor.client == DISPLAY


Reader = Annotated[Actor, Depends(BoardReader())]
