"""The client's page at each of its addresses, and its files.

The page may be kept and is asked about anew each time; what it loads lies in a folder that is named by the digest of
all files, and never changes there. A folder of another release is 404: after a deploy, or while two releases answer
side by side. `boot.js` then loads the page again.
"""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers.cached import Encoded, accepts_gzip
from api.requests.headers.conditional import matches
from api.requests.headers.request_headers import headers_of
from api.web.release import BOOT, ClientFile, release
from core.errors import NotFound

PAGES = (
    *("/", "/board", "/wall", "/tickets/new", "/tickets/{id}", "/handover", "/exports"),
    *("/dashboard", "/tickets", "/catalogs", "/imports", "/users", "/thresholds", "/audit", "/cache", "/account"),
)
"""Addresses of the client's pages; the same as those of `client/routes.js`."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
PAGE = {"content-security-policy": POLICY, "cross-origin-opener-policy": "same-origin"}
CHECKED = "no-cache"
"""May be kept, and is asked about before each use."""
FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


def answer(request: Request, file: ClientFile, kept: str, more: Mapping[str, str] | None = None) -> Response:
    """The file, compressed where the browser takes that; 304 where it holds it already. `kept`: its Cache-Control."""
    sent = headers_of(request.scope)
    told = {"etag": file.etag, "cache-control": kept, "vary": "Accept-Encoding, Origin", **(more or {})}
    headers = [(name.encode(), value.encode()) for name, value in told.items()]
    if matches(sent.if_none_match, file.etag):
        return Encoded(304, b"", headers)
    takes_gzip = accepts_gzip(sent.accept_encoding or "")
    body = file.packed if takes_gzip else file.body
    headers += [(b"content-type", file.media_type.encode()), (b"content-length", b"%d" % len(body))]
    return Encoded(200, body, headers + [(b"content-encoding", b"gzip")] * takes_gzip)


async def page(request: Request) -> Response:
    return answer(request, release().index, CHECKED, PAGE)


for address in PAGES:
    router.add_api_route(address, page, methods=["GET"])


@router.get(f"/app/{BOOT}")
async def boot(request: Request) -> Response:
    return answer(request, release().files[BOOT], CHECKED)


@router.get("/sw.js")
async def worker(request: Request) -> Response:
    """At the root, for it stands before all of the client's addresses. What it may fetch, its own policy says."""
    return answer(request, release().worker, CHECKED, PAGE)


@router.get("/app/{digest}/{path:path}")
async def file(request: Request, digest: str, path: str) -> Response:
    """Raises NotFound for what this release does not have."""
    made = release()
    found = made.files.get(path)
    if digest != made.digest or found is None:
        raise NotFound("This release of the client has no such file: load the page again.")
    return answer(request, found, FOREVER)
