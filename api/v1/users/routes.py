"""Users: an admin administers its clinic's viewers and clinical users, a superuser everybody."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.answers.cached import fresh
from api.answers.written import Written, write
from api.pagination import Cursor, Limit, cursor_of, keys_of
from api.requests.authentication import session_of
from api.requests.dependencies import KnownScope, RequireAdmin, RuntimeState
from api.requests.fields import Text
from api.requests.routing import Router
from api.responses import conflict, signed_in
from api.v1.users.bodies import UserChangeIn, UserIn
from api.v1.users.path import UserPath
from core.access import Role
from core.clock import shown, zone
from core.db.spanish_order import SPANISH
from core.db.transaction import ReadSession, WriteSession
from core.users.change import UserChange, change, end_sessions
from core.users.create import allowed, create
from core.users.displays import display_code
from core.users.listing import UserFilter, UserPage, list_users
from core.users.views import DisplayCodeOut, UserItem, UserList

router: Router = Router(prefix="/v1/users", tags=["users"])

LONGEST_SEARCH = 200

Q = Annotated[
    Text | None,
    Query(
        max_length=LONGEST_SEARCH,
        description="Every word must stand in the user name or the email. Accents and case do not matter.",
        examples=["clinical"],
    ),
]


@router.get(
    "",
    operation_id="usersList",
    summary="Users",
    description="By user name. An admin reads its clinic's, other admins too; a superuser without `clinic_id` all.",
    response_model=UserList,
    responses=signed_in(),
)
async def users_list(
    runtime: RuntimeState,
    _: RequireAdmin,
    scope: KnownScope,
    q: Q = None,
    role: Annotated[Role | None, Query()] = None,
    is_active: Annotated[bool | None, Query(description="Only those who may sign in, or who may not.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    asked = UserFilter(tuple(dict.fromkeys((q or "").split())), role, is_active)
    question = {
        "of": "users",
        "clinic_id": scope.clinic_id,
        "q": " ".join(asked.words) or None,
        "role": role,
        "is_active": is_active,
        "order": SPANISH,
    }
    keys = keys_of(runtime.settings, question, cursor)
    after = None if keys is None else (str(keys[0]), str(keys[1]))

    async def work(session: ReadSession) -> UserPage:
        return await list_users(session, scope, asked, limit, after)

    page = await runtime.database.read(work)
    following = None if page.next is None else cursor_of(runtime.settings, question, page.next)
    return fresh(UserList(items=page.items, next=following))


@router.post(
    "",
    operation_id="usersCreate",
    summary="A new user",
    status_code=201,
    response_model=UserItem,
    responses=signed_in(400, 413) | conflict("The user name or the email is taken.", "duplicate"),
)
async def user_create(request: Request, runtime: RuntimeState, actor: RequireAdmin, body: UserIn) -> Response:
    new = allowed(actor, body.new())
    # On a thread, and before the transaction: no connection waits for it.
    password = None if body.password is None else await runtime.passwords.new(body.password.get_secret_value())

    async def work(session: WriteSession) -> Written:
        return Written(201, await create(session, actor, new, password))

    return await write(request, runtime, actor, work)


@router.patch(
    "/{user_id}",
    operation_id="usersChange",
    summary="Change a user, deactivate one, or set a new password",
    description="A new role, clinic or password, and deactivation, end the user's sessions at once. One's own "
    "password is changed with `PUT /v1/auth/password`. The last active superuser stays one (`last_superuser`).",
    response_model=UserItem,
    responses=signed_in(400, 413)
    | conflict("The user name or the email is taken; or it is the last active superuser.", "last_superuser"),
)
async def user_change(
    request: Request, runtime: RuntimeState, actor: RequireAdmin, user_id: UserPath, body: UserChangeIn
) -> Response:
    password = None
    if body.password is not None:
        password = await runtime.passwords.new(body.password.get_secret_value())
    removes = body.password is None and "password" in body.model_fields_set
    asked = UserChange(body.values(), password, removes_password=removes)

    async def work(session: WriteSession) -> Written:
        return Written(200, await change(session, actor, user_id, asked))

    return await write(request, runtime, actor, work)


@router.delete(
    "/{user_id}/sessions",
    operation_id="usersEndSessions",
    summary="End all sessions of a user",
    status_code=204,
    responses=signed_in(),
)
async def user_end_sessions(
    request: Request, runtime: RuntimeState, actor: RequireAdmin, user_id: UserPath
) -> Response:
    async def work(session: WriteSession) -> Written:
        await end_sessions(session, actor, user_id)
        return Written(204)

    return await write(request, runtime, actor, work)


@router.post(
    "/{user_id}/display-sessions",
    operation_id="usersDisplaySession",
    summary="A code by which a wall display is signed in as a viewer",
    description="It is taken once, within ten minutes, with `POST /v1/auth/display`. Until then it is one of the user's"
    " sessions: ending those ends it.",
    status_code=201,
    response_model=DisplayCodeOut,
    responses=signed_in(400) | conflict("The user is no viewer, or may not sign in.", "not_a_viewer"),
)
async def user_display_session(
    request: Request, runtime: RuntimeState, actor: RequireAdmin, user_id: UserPath
) -> Response:
    async def work(session: WriteSession) -> Written:
        made = await display_code(session, actor, user_id)
        local = zone((await session_of(request)).timezone)
        return Written(
            201, DisplayCodeOut(code=made.code, session_id=made.session_id, expires_at=shown(made.expires_at, local))
        )

    return await write(request, runtime, actor, work)
