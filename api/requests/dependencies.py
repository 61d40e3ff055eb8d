"""What routes name in their signatures: who acts, on which clinics, and this process's runtime."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Query, Request

from api.requests.authentication import authenticate
from api.requests.fields import Id
from api.requests.routing import Gate, when_refused
from core.access import Actor, ClinicScope, Role
from core.clinics.references import require_known
from core.db.row_ids import row_id
from core.db.transaction import ReadSession
from core.errors import Forbidden
from core.runtime import Runtime


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


# Async, like every dependency here: FastAPI runs the others in a thread, which costs a hit more than its answer does.
async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeState = Annotated[Runtime, Depends(_runtime)]


class Require(Gate):
    """A signed-in user of at least this role. Raises NotAuthenticated, Forbidden."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self._admitted = frozenset(one for one in Role if one.rank >= role.rank)

    async def __call__(self, request: Request) -> Actor:
        actor = await authenticate(request)
        if actor.role not in self._admitted:
            raise Forbidden("Your role may not do this.")
        return actor


_viewer = Require(Role.VIEWER)

CurrentUser = Annotated[Actor, Depends(_viewer)]
RequireClinical = Annotated[Actor, Depends(Require(Role.CLINICAL))]
RequireAdmin = Annotated[Actor, Depends(Require(Role.ADMIN))]
RequireSuperuser = Annotated[Actor, Depends(Require(Role.SUPERUSER))]


async def _scope_named(request: Request) -> ClinicScope:
    """The clinic that the query names, where it can be read, whatever else is wrong with it: what is no id is the
    parameter's to refuse, which reads by the same `row_id`. Raises NotFound for a foreign one."""
    return (await authenticate(request)).narrowed(row_id(request.query_params.get("clinic_id", "")))


ClinicIdQuery = Annotated[
    Id | None, Query(alias="clinic_id", description="One clinic; a superuser without it reads the whole network.")
]


@when_refused(_scope_named)
async def _scope(request: Request, clinic_id: ClinicIdQuery = None) -> ClinicScope:
    return (await authenticate(request)).narrowed(clinic_id)


ReadScope = Annotated[ClinicScope, Depends(_scope)]
"""The clinic that a GET asks for within what the user may see. Raises NotFound for a foreign one."""


async def require_named(request: Request, require: Callable[[ReadSession, ClinicScope], Awaitable[object]]) -> None:
    """`require` in the database, of the scope that the query names. Raises NotFound as it does."""
    scope = await _scope_named(request)

    async def work(session: ReadSession) -> None:
        await require(session, scope)

    await runtime_of(request).database.read(work)


async def _known(request: Request) -> None:
    await require_named(request, require_known)


@when_refused(_known)
async def _known_scope(scope: ReadScope) -> ClinicScope:
    return scope


KnownScope = Annotated[ClinicScope, Depends(_known_scope)]
"""As ReadScope, for reads that are not cached: a clinic that does not exist is NotFound too, also where the rest of the
query is refused. Where nothing is refused, the read itself finds out."""
