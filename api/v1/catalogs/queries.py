"""What the catalogs' lists take in their query."""

from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import TypeAdapter, ValidationError

from api.requests.authentication import authenticate
from api.requests.routing import Gate
from core.access import Role
from core.errors import Forbidden

_flag = TypeAdapter(bool)


class InactiveGate(Gate):
    """Inactive items are for those who administer. Raises NotAuthenticated, Forbidden."""

    async def __call__(self, request: Request) -> None:
        actor = await authenticate(request)
        try:
            asked = _flag.validate_python(request.query_params.get("include_inactive", False))
        except ValidationError:
            return  # the parameter's own validation refuses it
        if asked and actor.role.rank < Role.ADMIN.rank:
            raise Forbidden("Your role does not see inactive items.")


async def _include_inactive(
    _: Annotated[None, Depends(InactiveGate())],
    include_inactive: Annotated[bool, Query(description="Inactive ones too; for admins and superusers.")] = False,
) -> bool:
    return include_inactive


IncludeInactive = Annotated[bool, Depends(_include_inactive)]
