"""One's own sessions: where one is signed in, and how to end that."""

from typing import Annotated

from fastapi import Path, Request
from pydantic import Field
from starlette.responses import Response

from api.answers.cached import NO_STORE, fresh
from api.requests.authentication import session_of
from api.requests.dependencies import CurrentUser, RuntimeState
from api.requests.fields import Digits
from api.requests.routing import Router
from api.responses import signed_in
from api.v1.auth.views import OpenSession, OpenSessions
from core.clock import zone
from core.db.transaction import WriteSession
from core.users import own_account

router: Router = Router(prefix="/v1/auth", tags=["auth"])

SessionId = Annotated[int, Field(ge=1, le=2**63 - 1), Digits, Path(examples=[81])]


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
    return fresh(OpenSessions(items=[OpenSession.of(one, local, actor.session_id) for one in found]))


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
