"""Signing in a wall display by the code that an admin has made for it."""

from fastapi import Request
from starlette.responses import Response

from api.answers.cached import fresh
from api.requests.dependencies import RuntimeState
from api.requests.routing import Router
from api.responses import problems, refusal
from api.v1.auth import cookies
from api.v1.auth.attempts import attempt_of
from api.v1.auth.bodies import DisplayCodeIn
from api.v1.auth.routes import TOO_LARGE
from api.v1.auth.views import SessionOut
from core.sessions.display_codes import DISPLAY
from core.sessions.store import DISPLAY_SECONDS
from core.users.displays import sign_in_by_code

router: Router = Router(prefix="/v1/auth", tags=["auth"])


@router.post(
    "/display",
    operation_id="authDisplay",
    summary="Sign in a wall display by its code",
    description="Takes a code of `POST /v1/users/{user_id}/display-sessions`, once, within its ten minutes. The session"
    " is in the cookie; it lasts thirty days, and reads the board, clinics and thresholds alone.",
    response_model=SessionOut,
    responses=problems(400, 422, 503)
    | TOO_LARGE
    | {401: refusal(401, "It is no code, or it was taken, or its time is over.", "invalid_code")},
)
async def display(request: Request, runtime: RuntimeState, body: DisplayCodeIn) -> Response:
    """A session with a new id; a cookie that is sent along is not looked at."""
    attempt = attempt_of(request, runtime, "", DISPLAY)
    made = await sign_in_by_code(runtime.database, runtime.sessions, attempt, body.code)
    answer = fresh(SessionOut.of(made))
    settings = runtime.settings
    cookies.set_cookie(answer, settings, settings.session_cookie, made.token, DISPLAY_SECONDS)
    return answer
