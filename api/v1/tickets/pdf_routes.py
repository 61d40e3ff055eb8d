"""The printed ticket, for the patient."""

from starlette.responses import Response

from api.answers.cached import NO_STORE
from api.requests.dependencies import CurrentUser, ReadScope, RuntimeState
from api.requests.routing import Router
from api.responses import signed_in
from api.v1.tickets.path import TicketId
from core.db.transaction import ReadSession
from core.exports.pdf.contents import Printed, printed
from core.exports.pdf.page import pdf

router: Router = Router(prefix="/v1/tickets", tags=["tickets"])

MEDIA_TYPE = "application/pdf"


class Pdf(Response):
    media_type = MEDIA_TYPE


@router.get(
    "/{ticket_id}/pdf",
    operation_id="ticketsPdf",
    summary="The printed ticket for the patient",
    description="One A5 page in Spanish: the patient by first name and the surname's initial, the original FPA's block"
    " and nights, the last modification, surgery, doctor, and room for notes and signatures.",
    response_class=Pdf,
    responses={
        200: {
            "description": "The page.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary", "examples": ["%PDF-1.4…"]}}},
            "headers": {
                "Content-Disposition": {
                    "description": "To be shown, or saved under the ticket's id.",
                    "schema": {"type": "string"},
                    "example": 'inline; filename="TH-SANT-2025-001.pdf"',
                }
            },
        },
        **signed_in(),
    },
)
async def ticket_pdf(runtime: RuntimeState, _: CurrentUser, scope: ReadScope, ticket_id: TicketId) -> Response:
    async def work(session: ReadSession) -> Printed:
        return await printed(session, scope, ticket_id)

    page = await pdf(await runtime.database.snapshot(work))
    return Pdf(page, headers=NO_STORE | {"Content-Disposition": f'inline; filename="{ticket_id}.pdf"'})
