"""Signing in and out, and who one is. Nothing here is ever stored on the way."""

from fastapi import Request
from starlette.responses import Response

from api.answers.cached import NO_STORE, fresh
from api.answers.written import idempotency_scope
from api.requests.authentication import session_of
from api.requests.dependencies import CurrentUser, RuntimeState
from api.requests.routing import Router
from api.responses import Responses, problems, refusal, signed_in
from api.v1.auth import cookies
from api.v1.auth.attempts import attempt_of, welcome
from api.v1.auth.bodies import LoginIn, PasswordIn
from api.v1.auth.views import LoginOut, SessionOut
from core.db.transaction import WriteSession
from core.errors import Forbidden
from core.users import own_account, sign_in

router: Router = Router(prefix="/v1/auth", tags=["auth"])

TOO_LARGE: Responses = {413: refusal(413, "The body is larger than 32 KiB.", "body_too_large")}


@router.post(
    "/login",
    operation_id="authLogin",
    summary="Sign in",
    response_model=LoginOut,
    responses=problems(400, 401, 403, 422, 429, 503) | TOO_LARGE,
)
async def login(request: Request, runtime: RuntimeState, body: LoginIn) -> Response:
    """A session with a new id; a cookie that is sent along is not looked at."""
    if body.client == "web" and not runtime.settings.password_login:
        raise Forbidden(
            "Passwords are not for browsers here. Sign in through your organisation.", code="single_sign_on_only"
        )
    attempt = attempt_of(request, runtime, body.username, body.client)
    made = await sign_in.sign_in(
        runtime.database,
        runtime.sessions,
        runtime.passwords,
        runtime.throttle,
        attempt,
        body.password.get_secret_value(),
    )
    return welcome(runtime, made, attempt)


@router.post(
    "/logout",
    operation_id="authLogout",
    summary="Sign out: end this session",
    description="The same however often it is sent. An `Idempotency-Key` is checked for its form only: with the session"
    " ends whoever could ask for the first answer again.",
    status_code=204,
    responses=signed_in(),
)
async def logout(request: Request, runtime: RuntimeState, actor: CurrentUser) -> Response:
    await idempotency_scope(request, actor)

    async def work(session: WriteSession) -> None:
        await sign_in.sign_out(session, actor)

    await runtime.database.write(work)
    answer = Response(status_code=204, headers=NO_STORE)
    cookies.forget_session(answer, runtime.settings)
    return answer


@router.get("/me", operation_id="authMe", summary="Who is signed in", response_model=SessionOut, responses=signed_in())
async def me(request: Request, _: CurrentUser) -> Response:
    return fresh(SessionOut.of(await session_of(request)))


@router.put(
    "/password",
    operation_id="authPasswordChange",
    summary="Change one's own password",
    description="Ends all of one's sessions and answers a new one, as signing in does.",
    response_model=LoginOut,
    responses=signed_in(400, 429) | TOO_LARGE,
)
async def password_change(request: Request, runtime: RuntimeState, actor: CurrentUser, body: PasswordIn) -> Response:
    attempt = attempt_of(request, runtime, actor.username, actor.client)
    made = await own_account.change_password(
        runtime.database,
        runtime.sessions,
        runtime.passwords,
        runtime.throttle,
        actor,
        attempt,
        body.current_password.get_secret_value(),
        body.new_password.get_secret_value(),
    )
    return welcome(runtime, made, attempt)
