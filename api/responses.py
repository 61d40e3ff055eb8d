"""What routes declare of their answers: `responses=signed_in(409)`, `responses=cached_responses()`."""

from typing import Any

from api.problems import MEDIA_TYPE, TITLES

MEANINGS = {
    400: ("The body is not JSON.", "malformed_json"),
    401: ("Not signed in.", "not_authenticated"),
    403: ("The role may not do this.", "forbidden"),
    404: ("It does not exist, or belongs to another clinic.", "not_found"),
    406: ("`Accept` does not admit what there is.", "not_acceptable"),
    409: ("The ticket's state does not allow it.", "ticket_not_active"),
    412: ("Somebody else changed it meanwhile; `current` is how it is now.", "revision_mismatch"),
    413: ("The body is larger than 1 MiB.", "body_too_large"),
    415: (
        "The body is not said to be JSON in UTF-8 by its `Content-Type`, or has a `Content-Encoding`.",
        "unsupported_media_type",
    ),
    422: ("The input is not valid; `errors` says where.", "invalid"),
    428: ("`If-Match` is missing.", "revision_required"),
    429: ("Too many attempts; `Retry-After` says how long to wait.", "too_many_attempts"),
    503: ("The database is away; `Retry-After` says when to try again.", "unavailable"),
}

Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """`responses=` of a route: the refusals it may answer, each with an example."""
    return {status: refusal(status, *MEANINGS[status]) for status in statuses}


def conflict(meaning: str, code: str) -> Responses:
    """The 409 of a route that is about something else than a ticket."""
    return {409: refusal(409, meaning, code)}


def refusal(status: int, meaning: str, code: str) -> dict[str, Any]:
    """One refusal as `responses=` has it, with a problem of this `code` as its example."""
    example = {
        "type": f"/problems/{code}",
        "title": TITLES[code],
        "status": status,
        "detail": meaning,
        "code": code,
        "request_id": "6f1c2d0a9b7e4c5d8e3f2a1b0c9d8e7f",
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    return {"description": meaning, "content": {MEDIA_TYPE: content}}


def signed_in(*more: int) -> Responses:
    """The refusals of a route that needs a session, and `more` of them."""
    return problems(401, 403, 404, 422, 503, *more)


CACHE_HEADERS = {
    "Cache-Status": ("RFC 9211: hit or miss, where from, seconds left.", "ticket-home; hit; ttl=212; detail=memory"),
    "Age": ("Seconds since it was computed.", "3"),
    "ETag": ("Weak; send it back as If-None-Match.", 'W/"9f1c2d0a9b7e4c5d8e3f2a1b"'),
    "Server-Timing": ("W3C: where the time went, in milliseconds.", 'cache;desc="hit memory";dur=0.04, total;dur=0.21'),
}


def header(meaning: str, schema: str, example: str | int) -> dict[str, Any]:
    return {"description": meaning, "schema": {"type": schema}, "example": example}


def cached_responses(*more: int) -> Responses:
    """The answers of a cached GET: 200 with the cache's headers, 304, and the refusals, `more` of them included."""
    headers = {name: header(meaning, "string", example) for name, (meaning, example) in CACHE_HEADERS.items()}
    return {
        200: {"headers": headers},
        304: {"description": "The client's copy is still right."},
        **signed_in(*more),
    }
