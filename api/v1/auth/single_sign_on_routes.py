"""Signing in by Google's Identity-Aware Proxy, which has asked who it is before a request comes here."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from api.answers.cached import fresh
from api.requests.dependencies import RuntimeState, runtime_of
from api.requests.routing import Gate, Router
from api.responses import problems, refusal
from api.v1.auth.attempts import attempt_of, welcome
from api.v1.auth.views import MethodsOut, SessionOut
from core.errors import Malformed, NotAuthenticated, NotFound
from core.users import single_sign_on

router: Router = Router(prefix="/v1/auth", tags=["auth"])

ASSERTION = "X-Goog-IAP-JWT-Assertion"


class Proved(Gate):
    """The email that the request's assertion proves. Raises NotFound where nobody signs in so, NotAuthenticated,
    Malformed for two of them, and Unavailable."""

    async def __call__(self, request: Request) -> str:
        assertions = runtime_of(request).assertions
        if assertions is None:
            raise NotFound
        given = request.headers.getlist(ASSERTION)
        if len(given) > 1:
            # A proxy may have judged the one, and this the other.
            raise Malformed(f"The header {ASSERTION} came more than once.", code="malformed_request")
        if not given:
            raise NotAuthenticated("The request did not come through the Identity-Aware Proxy.")
        return await assertions.email_of(given[0])


ProvedEmail = Annotated[str, Depends(Proved())]


@router.get(
    "/methods",
    operation_id="authMethods",
    summary="How one signs in here",
    response_model=MethodsOut,
    responses=problems(422, 503),
)
async def methods(runtime: RuntimeState) -> Response:
    settings = runtime.settings
    return fresh(MethodsOut(password=settings.password_login, sso=runtime.assertions is not None))


@router.post(
    "/iap",
    operation_id="authIap",
    summary="Sign in by the proxy's word",
    description="For browsers behind Google's Identity-Aware Proxy, which adds the header that says who it is: the"
    " session is that of a login as `web`. 404 where `IAP_AUDIENCE` is not set.",
    response_model=SessionOut,
    responses=problems(422, 429, 503)
    | {
        400: refusal(400, "The header came more than once.", "malformed_request"),
        401: refusal(401, "There is no assertion, or none that is valid.", "invalid_assertion"),
        403: refusal(403, "Nobody has made an account for this email, or it is not in use.", "not_provisioned"),
        404: refusal(404, "`IAP_AUDIENCE` is not set.", "not_found"),
    },
)
async def iap(request: Request, runtime: RuntimeState, email: ProvedEmail) -> Response:
    """A session with a new id; a cookie that is sent along is not looked at."""
    attempt = attempt_of(request, runtime, email, "web")
    made = await single_sign_on.sign_in_proved(
        runtime.database, runtime.sessions, runtime.throttle, runtime.settings.superuser_emails, attempt
    )
    return welcome(runtime, made, attempt)
