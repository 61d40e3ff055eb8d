"""What the protocol itself answers, where no request came about that the application could answer."""

from collections.abc import Iterable
from http import HTTPStatus
from uuid import uuid4

from pydantic_core import to_json

from api.middleware.added_headers import API_POLICY, GUARDING, raw
from api.middleware.sharing import Sharing
from api.problems import MEDIA_TYPE, TITLES
from core.telemetry.log import warn_seldom

GUARDS = raw(GUARDING | {"Content-Security-Policy": API_POLICY})
Headers = Iterable[tuple[bytes, bytes]]


class Refused(Exception):
    """Raised where a request is read; the connection ends with its answer."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, headers: Headers = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.headers = [*headers]


def malformed(detail: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "malformed_request", detail)


def too_large(limit: int) -> Refused:
    """`limit`: bytes."""
    detail = f"The request line and headers may have {limit} bytes at most."
    return Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail)


def too_slow(seconds: float, part: str) -> Refused:
    return Refused(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", f"The {part} was not sent within {seconds:g} s.")


def overloaded() -> Refused:
    detail = "There are too many connections just now."
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, [(b"retry-after", b"1")])


def told_to_page(head: Headers, sharing: Sharing | None) -> Headers:
    """What the page that sent this head, as far as it has come, is told with a refusal. `sharing` is None where no
    application of ours is served."""
    origin = next((value.decode("latin-1") for name, value in head if name == b"origin"), None)
    return () if sharing is None else tuple(sharing.headers(origin, []))


def answer(why: Refused, default: Headers) -> bytes:
    """A whole answer, `application/problem+json` like every other; `default`: the server's headers, such as Date."""
    request_id = uuid4().hex
    body = to_json(
        {
            "type": f"/problems/{why.code}",
            "title": TITLES[why.code],
            "status": why.status,
            "detail": str(why),
            "code": why.code,
            "request_id": request_id,
        }
    )
    headers = [
        *default,
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *GUARDS,
        (b"x-request-id", request_id.encode()),
        *why.headers,
        (b"connection", b"close"),
    ]
    log(why)
    lines = [f"HTTP/1.1 {why.status:d} {why.status.phrase}".encode(), *(b"%s: %s" % one for one in headers), b"", b""]
    return b"\r\n".join(lines) + body


def log(why: Refused) -> None:
    warn_seldom("requests refused before the application", why.code, status=int(why.status), code=why.code)
