"""The audits: an admin searches its clinic's, a superuser all."""

from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Query
from starlette.responses import Response

from api.answers.cached import fresh
from api.pagination import Cursor, Limit, cursor_of, keys_of
from api.requests.dependencies import KnownScope, RequireAdmin, RuntimeState
from api.requests.fields import Text
from api.requests.routing import Router
from api.responses import signed_in
from api.v1.audit.moments import From, To, span
from api.v1.audit.views import ActionAudits, ActionEntry, LoginAudits, LoginEntry, clinic_local
from core.access import ClinicScope
from core.audit.search import AuditPage, AuditPosition, Search, actions, logins, timezone_of
from core.clock import zone
from core.db.transaction import ReadSession
from core.runtime import Runtime

router: Router = Router(prefix="/v1/audit", tags=["audit"])

Find = Callable[[ReadSession, ClinicScope, Search, int, AuditPosition | None], Awaitable[AuditPage]]

User = Annotated[
    Text | None,
    Query(
        max_length=254, description="A user name as it was then, case aside, or a user's id.", examples=["admin_sant"]
    ),
]


@router.get(
    "/logins",
    operation_id="auditLogins",
    summary="Who signed in, and who failed to",
    description="The newest first. An admin reads its clinic's; superusers' own, and names that nobody has, only a "
    "superuser.",
    response_model=LoginAudits,
    responses=signed_in(),
)
async def audit_logins(
    runtime: RuntimeState,
    _: RequireAdmin,
    scope: KnownScope,
    user: User = None,
    action: Annotated[
        Text | None,
        Query(max_length=40, description="An outcome: `succeeded`, `password`, `unknown`…", examples=["password"]),
    ] = None,
    since: From = None,
    until: To = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    page, following = await found(runtime, "logins", logins, scope, Search(user, action), since, until, limit, cursor)
    return fresh(LoginAudits(items=[LoginEntry(**clinic_local(row)) for row in page.items], next=following))


@router.get(
    "/actions",
    operation_id="auditActions",
    summary="Who did what",
    description="The newest first, with values before and after. An admin reads what was done in its clinic, also by a "
    "superuser; what was done to the network only a superuser.",
    response_model=ActionAudits,
    responses=signed_in(),
)
async def audit_actions(
    runtime: RuntimeState,
    _: RequireAdmin,
    scope: KnownScope,
    user: User = None,
    action: Annotated[Text | None, Query(max_length=60, examples=["ticket.created"])] = None,
    target: Annotated[
        Text | None,
        Query(
            max_length=101,
            description="A kind and an id, or either of them: `ticket/TH-SANT-2025-001`, `ticket`, `TH-SANT-2025-001`.",
            examples=["ticket/TH-SANT-2025-001"],
        ),
    ] = None,
    since: From = None,
    until: To = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    page, following = await found(
        runtime, "actions", actions, scope, Search(user, action, target), since, until, limit, cursor
    )
    return fresh(ActionAudits(items=[ActionEntry(**clinic_local(row)) for row in page.items], next=following))


async def found(
    runtime: Runtime,
    name: str,
    find: Find,
    scope: ClinicScope,
    search: Search,
    since: str | None,
    until: str | None,
    limit: int,
    cursor: str | None,
) -> tuple[AuditPage, str | None]:
    """A page, and the cursor of the next one. Raises Invalid, and NotFound for a clinic that nobody has."""
    question = {
        "of": name,
        "clinic_id": scope.clinic_id,
        "user": search.user,
        "action": search.action,
        "target": search.target,
        "from": since,
        "to": until,
    }
    after = cast("AuditPosition | None", keys_of(runtime.settings, question, cursor))

    async def work(session: ReadSession) -> AuditPage:
        local = zone(await timezone_of(session, scope))
        first, last = span(since, until, local)
        return await find(session, scope, search.within(first, last), limit, after)

    page = await runtime.database.read(work)
    return page, None if page.next is None else cursor_of(runtime.settings, question, page.next)
