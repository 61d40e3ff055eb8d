"""Tickets as xlsx and csv, and every table in one zip."""

from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import Response

from api.requests.dependencies import CurrentUser, ReadScope, RequireSuperuser, RuntimeState
from api.requests.routing import Router
from api.responses import Responses, refusal, signed_in
from api.v1.exports.download import Download
from api.v1.tickets.filters import ListFilter
from core.exports.export import ExportRequest
from core.exports.job import Form, Format, Lang

router: Router = Router(prefix="/v1/exports", tags=["exports"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
ZIP = "application/zip"

CSV_EXAMPLE = (
    "\ufeffid,clinic,status,state,document_type,document,document_verified,first_name,…\r\n"
    "TH-SANT-2025-001,SANT,active,scheduled,rut,12345678-5,true,Ana,…\r\n"
)
OF_TICKETS = (
    "The tickets of `GET /v1/tickets` with the same filters, oldest first within their clinic, each with up to five"
    " modifications in columns of its row. States are those of the moment at which you asked; each row is as it was"
    " when it was read, within the next seconds. A viewer's file has no document, and age in decades; a display gets"
    " none. Each is audited, and a user begins ten an hour. "
)

Language = Annotated[Lang | None, Query(description="Of headings, states and flags.")]


class XlsxFile(Response):
    media_type = XLSX


class CsvFile(Response):
    media_type = CSV


class ZipFile(Response):
    media_type = ZIP


def file(media_type: str, filename: str, schema: dict[str, Any], example: str | None = None) -> Responses:
    """What a download answers."""
    disposition = {
        "description": "The clinic's prefix and date.",
        "schema": {"type": "string"},
        "example": f'attachment; filename="{filename}"',
    }
    content: dict[str, Any] = {"schema": {"type": "string", **schema}}
    if example is not None:
        content["example"] = example
    file = {
        "description": "The file.",
        "headers": {"Content-Disposition": disposition},
        "content": {media_type: content},
    }
    return {200: file, **signed_in(), 429: refusal(429, "Ten in an hour are enough.", "too_many_attempts")}


BINARY = {"format": "binary", "examples": ["PK…"]}


@router.get(
    "/tickets.xlsx",
    operation_id="exportsTicketsXlsx",
    summary="Tickets as a workbook",
    description=OF_TICKETS + "Times are Excel's own, in the clinic's local time. In Spanish, unless `lang` is `en`. No"
    " cell is a formula.",
    response_class=XlsxFile,
    responses=file(XLSX, "tickets-SANT-2025-01-15.xlsx", BINARY),
)
async def tickets_xlsx(
    runtime: RuntimeState, actor: CurrentUser, scope: ReadScope, asked: ListFilter, lang: Language = None
) -> Response:
    wanted = ExportRequest(actor, Format.XLSX, scope, asked, Form(lang or Lang.ES))
    return Download(await runtime.exports.open(wanted), XLSX)


@router.get(
    "/tickets.csv",
    operation_id="exportsTicketsCsv",
    summary="Tickets as csv",
    description=OF_TICKETS + "UTF-8 with a byte order mark, commas, ISO 8601 times with the clinic's offset, columns by"
    " the names that programs know, unless `lang` or `dialect` says otherwise. An apostrophe stands before what a"
    " spreadsheet would take for a formula.",
    response_class=CsvFile,
    responses=file(CSV, "tickets-SANT-2025-01-15.csv", {}, CSV_EXAMPLE),
)
async def tickets_csv(
    runtime: RuntimeState,
    actor: CurrentUser,
    scope: ReadScope,
    asked: ListFilter,
    lang: Language = None,
    dialect: Annotated[
        Literal["excel"] | None,
        Query(
            description="As Excel opens it where its language is Spanish: `;` between cells, times without an offset."
        ),
    ] = None,
) -> Response:
    for_excel = dialect is not None
    form = Form(lang or (Lang.ES if for_excel else Lang.EN), for_excel)
    return Download(await runtime.exports.open(ExportRequest(actor, Format.CSV, scope, asked, form)), CSV)


@router.get(
    "/full.zip",
    operation_id="exportsFull",
    summary="Every table as csv",
    description="Of one clinic with `clinic_id`: its rows and the global ones, the import's own memory aside; its"
    " tickets may name users who have moved to another clinic since. Without passwords, sessions and kept answers."
    " Times are UTC. Each row is as it was at a moment while the file was made, and every reference in it is found in"
    " it, those users aside; `manifest.json` says when, and how many rows.",
    response_class=ZipFile,
    responses=file(ZIP, "full-network-2025-01-15.zip", BINARY),
)
async def full_zip(runtime: RuntimeState, actor: RequireSuperuser, scope: ReadScope) -> Response:
    return Download(await runtime.exports.open(ExportRequest(actor, Format.FULL, scope)), ZIP)
