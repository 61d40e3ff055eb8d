"""Signing in and out, and who one is. Nothing here is ever stored on the way."""

from datetime import UTC, datetime
from typing import Annotated, cast
from zoneinfo import ZoneInfo

from fastapi import Path, Request
from pydantic import Field
from starlette.responses import Response

from api.answers.cached import NO_STORE, fresh
from api.answers.written import idempotency_scope
from api.openapi import problems, signed_in
from api.requests.authentication import session_of
from api.requests.client import address_of
from api.requests.credentials import credentials_of
from api.requests.dependencies import CurrentUser, RuntimeState
from api.requests.fields import Digits
from api.requests.routing import Router
from api.v1.auth.bodies import Client, LoginIn, PasswordIn
from api.v1.auth.views import LoginOut, OpenSession, OpenSessions, SessionOut, UserOut
from core.access import Actor
from core.clock import shown, zone
from core.db.transaction import WriteSession
from core.errors import Forbidden
from core.runtime import Runtime
from core.sessions.copies import SessionCopy
from core.sessions.devices import LIFE
from core.sessions.models import UserSession
from core.settings import Settings
from core.trace import current
from core.users import own_account, sign_in
from core.users.sign_in import Attempt, SignedIn

router: Router = Router(prefix="/v1/auth", tags=["auth"])

SessionId = Annotated[int, Field(ge=1, le=2**63 - 1), Digits, Path(examples=[81])]


@router.post(
    "/login",
    operation_id="authLogin",
    summary="Sign in",
    response_model=LoginOut,
    responses=problems(400, 401, 403, 413, 422, 429, 503),
)
async def login(request: Request, runtime: RuntimeState, body: LoginIn) -> Response:
    """A session with a new id; a cookie that is sent along is not looked at."""
    refuse_where_unused(runtime.settings)
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
    forget_cookie(answer, runtime.settings)
    return answer


@router.get("/me", operation_id="authMe", summary="Who is signed in", response_model=SessionOut, responses=signed_in())
async def me(request: Request, _: CurrentUser) -> Response:
    return fresh(told(await session_of(request)))


@router.get(
    "/sessions",
    operation_id="authSessionsList",
    summary="Where one is signed in",
    response_model=OpenSessions,
    responses=signed_in(),
)
async def sessions_list(request: Request, runtime: RuntimeState, actor: CurrentUser) -> Response:
    local = zone((await session_of(request)).timezone)
    found = await own_account.own_sessions(runtime.database, actor)
    return fresh(OpenSessions(items=[open_session(one, local, actor) for one in found]))


@router.delete(
    "/sessions/{session_id}",
    operation_id="authSessionsEnd",
    summary="End one of one's own sessions",
    status_code=204,
    responses=signed_in(),
)
async def session_end(runtime: RuntimeState, actor: CurrentUser, session_id: SessionId) -> Response:
    async def work(session: WriteSession) -> None:
        await own_account.end_session(session, actor, session_id)

    await runtime.database.write(work)
    return Response(status_code=204, headers=NO_STORE)


@router.delete(
    "/sessions",
    operation_id="authSessionsEndOthers",
    summary="End all of one's other sessions",
    status_code=204,
    responses=signed_in(),
)
async def sessions_end_others(runtime: RuntimeState, actor: CurrentUser) -> Response:
    async def work(session: WriteSession) -> None:
        await own_account.end_other_sessions(session, actor)

    await runtime.database.write(work)
    return Response(status_code=204, headers=NO_STORE)


@router.put(
    "/password",
    operation_id="authPasswordChange",
    summary="Change one's own password",
    description="Ends all of one's sessions and answers a new one, as signing in does.",
    response_model=LoginOut,
    responses=signed_in(400, 413, 429),
)
async def password_change(request: Request, runtime: RuntimeState, actor: CurrentUser, body: PasswordIn) -> Response:
    refuse_where_unused(runtime.settings)
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


def refuse_where_unused(settings: Settings) -> None:
    if not settings.password_login:
        raise Forbidden("Passwords are not used here. Sign in through your organisation.")


def open_session(found: UserSession, local: ZoneInfo, actor: Actor) -> OpenSession:
    return OpenSession(
        id=found.id,
        client=cast("Client", found.client),
        created_at=shown(found.created_at, local),
        last_seen_at=shown(found.last_seen_at, local),
        expires_at=shown(found.expires_at, local),
        ip=found.ip,
        user_agent=found.user_agent,
        current=found.id == actor.session_id,
    )


def attempt_of(request: Request, runtime: Runtime, name: str, client: str) -> Attempt:
    return Attempt(
        name=name,
        client=client,
        ip=address_of(request.scope),
        user_agent=request.headers.get("user-agent"),
        request_id=current().request_id or None,
        device=runtime.devices.read(credentials_of(request.scope).cookies.get(runtime.settings.device_cookie)),
    )


def welcome(runtime: Runtime, made: SignedIn, attempt: Attempt) -> Response:
    """The answer to a sign-in: the token in a cookie for the web, in the body for others."""
    settings = runtime.settings
    session = SessionOut(
        user=UserOut(
            id=made.user_id, username=made.username, email=made.email, role=made.role, clinic_id=made.clinic_id
        ),
        expires_at=shown(made.expires_at, zone(made.timezone)),
        idle_seconds=made.idle_seconds,
    )
    if attempt.client != "web":
        return fresh(LoginOut(**dict(session), token=made.token))
    answer = fresh(session)
    set_cookie(answer, settings, settings.session_cookie, made.token, settings.session_max_seconds)
    if attempt.device is not None:
        device = runtime.devices.write(attempt.device.used_by(made.user_id))
        set_cookie(answer, settings, settings.device_cookie, device, LIFE)
    return answer


def set_cookie(answer: Response, settings: Settings, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name, value, max_age=seconds, path="/", secure=settings.is_production, httponly=True, samesite="lax"
    )


def forget_cookie(answer: Response, settings: Settings) -> None:
    # With the attributes it was set with: browsers refuse a `__Host-` cookie, even an emptying one, without them.
    answer.delete_cookie(
        settings.session_cookie, path="/", secure=settings.is_production, httponly=True, samesite="lax"
    )


def told(copy: SessionCopy) -> SessionOut:
    return SessionOut(
        user=UserOut(
            id=copy.user_id, username=copy.username, email=copy.email, role=copy.role, clinic_id=copy.clinic_id
        ),
        expires_at=shown(datetime.fromtimestamp(copy.expires_at, UTC), zone(copy.timezone)),
        idle_seconds=copy.idle_seconds,
    )
