"""The ticket that a path names, and a delay of it."""

import re
from typing import Annotated

from fastapi import Depends, Path, Request

from api.requests.authentication import authenticate
from api.requests.dependencies import runtime_of
from api.requests.routing import when_refused
from api.requests.row_in_path import row_named
from api.v1.tickets.bodies import TICKET_ID
from core.access import Actor
from core.db.transaction import ReadSession
from core.errors import NotFound
from core.tickets.reads.detail import require_ticket
from core.tickets.verbs.delays import require_delay

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


async def _require_delay(session: ReadSession, actor: Actor, delay_id: int) -> None:
    await require_delay(session, actor.scope, delay_id)


DelayId = Annotated[int, row_named("delay_id", 4, _require_delay)]
"""Likewise; that it is one of the ticket's, and open, is found under the ticket's lock."""
