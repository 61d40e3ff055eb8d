"""The ticket that a path names."""

import re
from typing import Annotated

from fastapi import Depends, Path, Request

from api.requests.authentication import authenticate
from api.requests.dependencies import runtime_of
from api.requests.routing import when_refused
from api.v1.tickets.bodies import TICKET_ID
from core.db.transaction import ReadSession
from core.errors import NotFound
from core.tickets.reads.detail import require_ticket

_ID = re.compile(TICKET_ID)


def well_formed(ticket_id: str) -> str:
    """Raises NotFound for what can be no ticket's id."""
    if not _ID.fullmatch(ticket_id):
        raise NotFound
    return ticket_id


async def _exists(request: Request) -> None:
    actor = await authenticate(request)
    ticket_id = well_formed(request.path_params["ticket_id"])

    async def work(session: ReadSession) -> None:
        await require_ticket(session, actor.scope, ticket_id)

    await runtime_of(request).database.read(work)


@when_refused(_exists)
async def _ticket_id(
    ticket_id: Annotated[str, Path(description="The ticket's id.", examples=["TH-SANT-2025-001"])],
) -> str:
    return well_formed(ticket_id)


TicketId = Annotated[str, Depends(_ticket_id)]
"""A foreign clinic's or an unknown ticket is NotFound, also where the body would be refused."""
