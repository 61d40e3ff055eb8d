"""The whole ticket as the answer to a request about one: documented, and sent with its ETag."""

from collections.abc import Mapping

from api.answers.written import Written
from api.requests.headers.conditional import revision_etag
from api.responses import Responses, signed_in
from api.v1.tickets.examples import TICKET
from core.tickets.views import TicketDetail

BY_REVISION: tuple[int, ...] = (400, 409, 412, 413, 428)
"""What a change of an existing ticket may answer besides."""


def documented(status: int, *refusals: int, located: bool = False) -> Responses:
    """The whole ticket, and the refusals."""
    headers = {"ETag": {"description": "For If-Match.", "schema": {"type": "string"}, "example": '"1"'}}
    if located:
        path = {"type": "string", "format": "uri-reference"}
        headers["Location"] = {
            "description": "Of the ticket.",
            "schema": path,
            "example": f"/v1/tickets/{TICKET['id']}",
        }
    content = {"application/json": {"example": TICKET}}
    return {status: {"headers": headers, "content": content}, **signed_in(*refusals)}


def ticket_answer(ticket: TicketDetail, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Written:
    """A write's answer; its ETag is what the next If-Match names."""
    return Written(status, ticket, {"ETag": revision_etag(ticket.revision), **(headers or {})})
