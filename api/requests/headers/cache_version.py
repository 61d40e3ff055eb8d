"""`Cache-Version` in a request: versions that its client has seen, so that its answer must be as new."""

from api.requests.headers.request_headers import RequestHeaders
from core.cache.versions.vector import Vector
from core.runtime import Runtime


def versions_required(headers: RequestHeaders, runtime: Runtime, clinic_id: int | None) -> Vector:
    """Those that a reader of `clinic_id` (None: the network) may require. What is made up, foreign or absent is left
    out."""
    sent = headers.cache_version
    return runtime.version_header.parse(sent, clinic_id) if sent else {}


def of_session(seen: Vector, clinic_id: int | None) -> Vector:
    """Of the versions that a client has seen those that a session of `clinic_id` depends on: users and clinics."""
    stamps = ((clinic_id or 0, "users"), (0, "clinics"))
    return {stamp: seen[stamp] for stamp in stamps if stamp in seen}
