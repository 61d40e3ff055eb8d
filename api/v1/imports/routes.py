"""A clinic's catalog from a file, for superusers: what `ticket-home import catalog` does, over HTTP."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.requests.dependencies import RequireSuperuser, RuntimeState, require_named
from api.requests.fields import Id, Text
from api.requests.file_in_body import FileInBody
from api.requests.routing import Router, when_refused
from api.responses import MEANINGS, Responses, conflict, refusal, signed_in
from core import deadline
from core.catalogs.imports.bring import bring_catalog
from core.catalogs.imports.views import CatalogImport, CatalogRefused, view_of
from core.clinics.references import require_known
from core.db.transaction import WriteSession

router: Router = Router(prefix="/v1/imports", tags=["catalogs"])

TAKES = 25.0
"""Seconds beside those of any request: reading a file in a process of its own, and thousands of rows. Less than proxies
wait for an answer (deploy/nginx.conf)."""
BYTES = "application/octet-stream"
SAID = frozenset(
    {
        *(BYTES, "text/csv", "application/csv", "text/tab-separated-values", "text/plain"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        # What Windows calls a csv file once Excel is there.
        "application/vnd.ms-excel",
        # What `curl --data-binary @file` says unless it is told otherwise.
        "application/x-www-form-urlencoded",
    }
)
"""What it is is known by its first bytes, as the command knows it; who sends it often does not know."""
CatalogFile = Annotated[bytes, Depends(FileInBody("the file, an xlsx or csv,", SAID))]

EXAMPLE_CSV = (
    "kind,name,specialty,base_stay_hours\r\n"
    "specialty,Traumatología,,\r\n"
    "surgery,Artroscopía de rodilla,Traumatología,24\r\n"
)
FILE: dict[str, Any] = {
    "required": True,
    "description": "The file itself, 1 MiB at most: `fetch(url, {method: 'POST', body: file})`, or `curl --data-binary"
    " @surgeries.csv`. Neither a form nor JSON. `Content-Type` may also be that of csv or of a workbook, or absent:"
    " which of both it is, and in which encoding, is seen by its bytes.",
    "content": {BYTES: {"schema": {"type": "string", "format": "binary"}, "example": EXAMPLE_CSV}},
}
REPORT: dict[str, Any] = {
    "clinic_id": 5,
    "dry_run": False,
    "imported": True,
    "encoding": None,
    "kinds": [
        {"kind": "specialties", "created": 1, "updated": 0, "unchanged": 11},
        {"kind": "surgeries", "created": 12, "updated": 3, "unchanged": 140},
    ],
    "problems": [],
    "problems_total": 0,
    "hidden": ["Cirugías, row 3 to 4"],
    "ignored": ["Notas"],
}
MESSAGE = "must be a whole number from 1 to 2160, in digits alone"
PROBLEM: dict[str, Any] = {
    **{"sheet": "Cirugías", "row": 7, "column": "base_stay_hours", "message": MESSAGE},
    **{"code": "no_whole_number", "values": {"least": 1, "most": 2160}},
}


def refusals() -> Responses:
    refused = refusal(422, "Nothing was imported: 1 things in the file are wrong.", "catalog_refused")
    example = next(iter(refused["content"].values()))["example"]
    example["errors"] = [{"path": "Cirugías.7.base_stay_hours", "code": "invalid", "message": MESSAGE}]
    example["report"] = REPORT | {"imported": False, "kinds": [], "problems": [PROBLEM], "problems_total": 1}
    refused["description"] = (
        "`catalog_refused`: rows are wrong, and nothing was imported; `report` says which. `no_catalog`: the file is"
        " none, or larger than is read; `reason` (such as `old_excel`) and `values` say what `detail` says. `invalid`:"
        " the query."
    )
    return {
        **signed_in(413),
        **conflict("Somebody changed this catalog meanwhile: run it again.", "duplicate"),
        415: refusal(415, "It is said to be something else than a file, or is encoded.", "unsupported_file_type"),
        422: refused,
        503: refusal(503, MEANINGS[503][0] + " Or another file is being read.", "unavailable"),
    }


async def _known(request: Request) -> None:
    await require_named(request, require_known)


@when_refused(_known)
async def _clinic(clinic_id: Annotated[Id, Query(description="Whose catalog it is.", examples=[5])]) -> int:
    return clinic_id


@router.post(
    "/catalog",
    operation_id="importsCatalog",
    summary="Specialties, surgeries, doctors and reasons of a clinic, from a file",
    description="All of the file, or, where a single row is wrong, nothing. A workbook has a sheet for each kind; a csv"
    " file has one kind, known by its `filename` or its headings, or several with a column `kind`. Headings are the"
    " fields' names, in English or Spanish. A row is matched by its name (a doctor first by RUT, a reason by category"
    " and text) and written over what is there; rows that the file does not have stay, and so do fields without a"
    " column. `ticket-home import catalog --help` says more. Up to 10,000 rows. A `dry_run` answers what a run would"
    " do, problems included, and leaves no row.",
    response_model=CatalogImport,
    responses={200: {"content": {"application/json": {"example": REPORT}}}, **refusals()},
    openapi_extra={"requestBody": FILE},
)
async def import_catalog(
    request: Request,
    runtime: RuntimeState,
    actor: RequireSuperuser,
    clinic_id: Annotated[int, Depends(_clinic)],
    content: CatalogFile,
    filename: Annotated[
        Text,
        Query(
            max_length=255,
            description="Of a csv file it may tell the kind, and problems name it.",
            examples=["surgeries.csv"],
        ),
    ] = "",
    dry_run: Annotated[bool, Query(description="Tell what a run would do, and leave no row.")] = False,
) -> Response:
    deadline.extend(TAKES)
    file = await runtime.catalog_files.read(content, filename)

    async def work(session: WriteSession) -> Written:
        report = await bring_catalog(session, actor, clinic_id, file, dry_run=dry_run)
        view = view_of(report, clinic_id, dry_run=dry_run)
        if view.problems and not dry_run:
            raise CatalogRefused(view)
        return Written(200, view)

    return await write(request, runtime, actor, work, budget=TAKES)
