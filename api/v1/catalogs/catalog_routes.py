"""The routes of one catalog, made of its description: its list, a new row, and a change of one.

Superusers keep catalogs. Nothing is deleted: what is out of use is not active, and tickets keep its name.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from api.answers.cached import cached
from api.answers.written import Written, write
from api.requests.dependencies import CurrentUser, ReadScope, RequireSuperuser, RuntimeState
from api.requests.routing import Router
from api.requests.row_in_path import row_named
from api.responses import Responses, cached_responses, conflict, signed_in
from api.v1.catalogs.bodies import Change
from api.v1.catalogs.queries import IncludeInactive
from api.v1.catalogs.row_bodies import Examples, New, change_body, new_body
from core.access import Actor
from core.cache.keys import Parameters
from core.catalogs.catalogs import Catalog
from core.catalogs.change import change
from core.catalogs.create import create
from core.catalogs.listing import rows_of
from core.catalogs.references import require_row
from core.db.transaction import ReadSession, WriteSession

ORDER = (
    "By name, in Spanish order. A user of a clinic reads that clinic's; a superuser without `clinic_id` the whole "
    "network's."
)
KEPT = "Absent fields stay, null clears. What was written in tickets stays there."


@dataclass(frozen=True, slots=True)
class Words:
    """What the contract says of a catalog's three routes."""

    listed: str
    new: str
    changed: str
    taken: str
    """When another row is in the way of a new one."""
    taken_by_another: str
    """And of a change."""
    of_new: str | None = None
    """What is said of a new row beside its summary."""


async def _no_filters() -> Parameters:
    return {}


def catalog_router(
    catalog: Catalog,
    words: Words,
    *,
    row_id: int,
    new: Examples,
    changes: Examples,
    filters: Callable[..., Awaitable[Parameters]] = _no_filters,
) -> Router:
    """`row_id`, `new` and `changes` are the contract's examples; `filters` is a dependency that gives what the list is
    narrowed by."""
    router: Router = Router(prefix=f"/v1/{catalog.plural}", tags=["catalogs"])
    new_row, changed_row = new_body(catalog, new), change_body(catalog, changes)

    async def exists(session: ReadSession, actor: Actor, named: int) -> None:
        await require_row(session, actor.scope, catalog, named)

    @router.get(
        "",
        operation_id=f"{catalog.plural}List",
        summary=words.listed,
        description=ORDER,
        response_model=catalog.answer,
        responses=cached_responses(),
    )
    async def list_rows(
        request: Request,
        runtime: RuntimeState,
        _: CurrentUser,
        narrowed: Annotated[Parameters, Depends(filters)],
        scope: ReadScope,
        include_inactive: IncludeInactive,
    ) -> Response:
        asked = rows_of(catalog, scope, narrowed, include_inactive=include_inactive)
        return await cached(request, runtime, asked)

    @router.post(
        "",
        operation_id=f"{catalog.plural}Create",
        summary=words.new,
        description=words.of_new,
        status_code=201,
        response_model=catalog.item,
        responses=_refusals(words.taken),
    )
    async def create_row(
        request: Request,
        runtime: RuntimeState,
        actor: RequireSuperuser,
        body: new_row,  # type: ignore[valid-type]  # read by FastAPI
    ) -> Response:
        sent: New = body

        async def work(session: WriteSession) -> Written:
            return Written(201, await create(session, actor, catalog, sent.clinic_id, sent.values()))

        return await write(request, runtime, actor, work)

    @router.patch(
        f"/{{{catalog.name}_id}}",
        operation_id=f"{catalog.plural}Change",
        summary=words.changed,
        description=KEPT,
        response_model=catalog.item,
        responses=_refusals(words.taken_by_another),
    )
    async def change_row(
        request: Request,
        runtime: RuntimeState,
        actor: RequireSuperuser,
        found: Annotated[int, row_named(f"{catalog.name}_id", row_id, exists)],
        body: changed_row,  # type: ignore[valid-type]  # read by FastAPI
    ) -> Response:
        sent: Change = body

        async def work(session: WriteSession) -> Written:
            return Written(200, await change(session, actor, catalog, found, sent.values()))

        return await write(request, runtime, actor, work)

    return router


def _refusals(meaning: str) -> Responses:
    return signed_in(400, 413) | conflict(meaning, "duplicate")
