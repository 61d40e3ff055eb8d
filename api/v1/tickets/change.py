"""A change of the ticket that a path names: who makes it, and of which revision, as every verb's route asks for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Concatenate, ParamSpec

from fastapi import Depends, Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.requests.dependencies import RequireAdmin, RequireClinical, RuntimeState
from api.requests.headers.conditional import IfMatch
from api.v1.tickets.answer import ticket_answer
from api.v1.tickets.path import TicketId
from core.access import Actor
from core.db.transaction import WriteSession
from core.runtime import Runtime
from core.tickets.change.held import Revisions
from core.tickets.views import TicketDetail

P = ParamSpec("P")
Verb = Callable[Concatenate[WriteSession, Actor, str, Revisions | None, P], Awaitable[TicketDetail]]
"""A function of core/tickets/verbs: session, actor, ticket, the revisions that the client has read, and what it alone
takes."""


@dataclass(frozen=True, slots=True)
class TicketChange:
    """One request to change a ticket, by somebody who may."""

    request: Request
    runtime: Runtime
    actor: Actor
    ticket_id: str
    revision: Revisions | None

    async def by(self, verb: Verb[P], *given: P.args, **named: P.kwargs) -> Response:
        """The whole ticket, as `verb` leaves it, under the route's own status; its ETag is the next If-Match.

        Raises what `verb` and `write` do.
        """

        async def work(session: WriteSession) -> Written:
            ticket = await verb(session, self.actor, self.ticket_id, self.revision, *given, **named)
            return ticket_answer(ticket, status=self.request.scope["route"].status_code or 200)

        return await write(self.request, self.runtime, self.actor, work)


async def _clinical(
    request: Request, runtime: RuntimeState, actor: RequireClinical, ticket_id: TicketId, revision: IfMatch
) -> TicketChange:
    return TicketChange(request, runtime, actor, ticket_id, revision)


async def _admin(
    request: Request, runtime: RuntimeState, actor: RequireAdmin, ticket_id: TicketId, revision: IfMatch
) -> TicketChange:
    return TicketChange(request, runtime, actor, ticket_id, revision)


ClinicalChange = Annotated[TicketChange, Depends(_clinical)]
AdminChange = Annotated[TicketChange, Depends(_admin)]
