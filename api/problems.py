"""What a refusal looks like: application/problem+json (RFC 9457). Which error becomes which: api/error_handlers.py."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import Field
from pydantic_core import to_json
from starlette.responses import Response

from core.answer_model import AnswerModel
from core.telemetry.trace import current

MEDIA_TYPE = "application/problem+json"

TITLES = {
    "malformed_json": "The body is not JSON",
    "not_authenticated": "Not signed in",
    "invalid_credentials": "Wrong user name or password",
    "invalid_assertion": "No valid assertion of single sign-on",
    "invalid_code": "No code of a display",
    "forbidden": "Not allowed",
    "not_provisioned": "No account here",
    "single_sign_on_only": "Browsers sign in through their organisation",
    "cross_origin": "Not from this site",
    "not_found": "Not found",
    "not_acceptable": "Not in a form that the client takes",
    "method_not_allowed": "No such method here",
    "ticket_not_active": "The ticket is not active",
    "ticket_not_annulled": "The ticket is not annulled",
    "ticket_not_discharged": "The ticket is not discharged",
    "already_ready": "The patient is ready already",
    "not_ready": "The patient is not ready",
    "before_admission": "The patient has yet to be admitted",
    "modification_limit": "The FPA was modified as often as it may be",
    "fpa_before_admission": "The FPA would be before the admission",
    "fpa_unchanged": "The FPA would stay as it is",
    "patient_unchanged": "The ticket is this patient's already",
    "patient_mismatch": "The patient with this document has another name",
    "already_admitted": "This patient has an active ticket",
    "episode_taken": "Another active ticket has this episode",
    "duplicate": "It exists already",
    "not_a_viewer": "Displays are of viewers",
    "last_superuser": "It is the last superuser",
    "timezone_fixed": "The clinic's time zone is fixed",
    "global_thresholds": "The global thresholds are always there",
    "idempotency_mismatch": "This Idempotency-Key was used for something else",
    "revision_mismatch": "Somebody else changed it meanwhile",
    "revision_required": "If-Match is missing",
    "malformed_request": "The request is not HTTP as it should be",
    "headers_too_large": "The request line and headers are too large",
    "request_timeout": "The request came too slowly",
    "http_version": "This version of HTTP is not spoken here",
    "body_too_large": "The body is too large",
    "unsupported_media_type": "The body is not said to be JSON",
    "unsupported_file_type": "The body is said to be no file that is read here",
    "invalid": "The input is not valid",
    "no_catalog": "The file is no catalog",
    "catalog_refused": "Rows of the file are wrong",
    "nonexistent_local_time": "This local time does not exist",
    "implausible_time": "This is too far from now",
    "too_many_attempts": "Too many attempts",
    "unavailable": "Not available just now",
    "internal": "An error of ours",
}


class ProblemField(AnswerModel):
    path: str = Field(examples=["patient.document"])
    code: str = Field(examples=["unknown_reference"])
    message: str


class Problem(AnswerModel):
    """What every refusal answers. Clients switch on `code`."""

    type: str = Field(description="A stable URI path.", examples=["/problems/ticket_not_active"])
    title: str
    status: int = Field(examples=[409])
    detail: str
    code: str = Field(examples=["ticket_not_active"])
    request_id: str
    errors: list[ProblemField] | None = Field(None, description="Of validation: one per refused field.")
    current: dict[str, Any] | None = Field(None, description="Of `revision_mismatch`: the ticket as it is now.")
    patient: dict[str, Any] | None = Field(
        None,
        description="Of `patient_mismatch`: the patient on file, with `id` and `revision` for `same_person`.",
    )
    report: dict[str, Any] | None = Field(
        None, description="Of `catalog_refused`: what `importsCatalog` answers of the file."
    )
    ticket_id: str | None = Field(
        None, description="Of `already_admitted` and `episode_taken`: the active ticket that it is about."
    )


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """The answer of a refusal: `code` is what clients switch on, `members` stand beside it in the body."""
    body = {
        "type": f"/problems/{code}",
        "title": TITLES.get(code) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": current().request_id,
    } | members
    return Response(
        to_json(body), status, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"} | dict(headers or {})
    )
