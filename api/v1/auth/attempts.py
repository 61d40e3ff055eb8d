"""Who asks to come in, as the audit and the throttle know them, and how whoever may is answered."""

from fastapi import Request
from starlette.responses import Response

from api.answers.cached import fresh
from api.requests.client import address_of
from api.requests.headers.request_headers import headers_of
from api.v1.auth import cookies
from api.v1.auth.views import LoginOut, SessionOut
from core.runtime import Runtime
from core.sessions.devices import LIFE
from core.telemetry.trace import current
from core.users.attempt import Attempt
from core.users.sign_in import SignedIn


def attempt_of(request: Request, runtime: Runtime, name: str, client: str) -> Attempt:
    return Attempt(
        name=name,
        client=client,
        ip=address_of(request.scope),
        user_agent=request.headers.get("user-agent"),
        request_id=current().request_id or None,
        device=runtime.devices.read(headers_of(request.scope).cookies.get(runtime.settings.device_cookie)),
    )


def welcome(runtime: Runtime, made: SignedIn, attempt: Attempt) -> Response:
    """The answer to a sign-in: the token in a cookie for the web, in the body for others."""
    settings = runtime.settings
    session = SessionOut.of(made)
    if attempt.client != "web":
        return fresh(LoginOut(**dict(session), token=made.token))
    answer = fresh(session)
    cookies.set_cookie(answer, settings, settings.session_cookie, made.token, settings.session_max_seconds)
    if attempt.device is not None:
        device = runtime.devices.write(attempt.device.used_by(made.user_id))
        cookies.set_cookie(answer, settings, settings.device_cookie, device, LIFE)
    return answer
