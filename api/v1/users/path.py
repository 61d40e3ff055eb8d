"""The user that a path names."""

from typing import Annotated

from api.requests.row_in_path import row_named
from core.access import Actor
from core.db.transaction import ReadSession
from core.users.listing import user_item
from core.users.rights import require_above


async def _require(session: ReadSession, actor: Actor, user_id: int) -> None:
    require_above(actor, (await user_item(session, actor.scope, user_id)).role)


UserPath = Annotated[int, row_named("user_id", 4, _require)]
"""A foreign clinic's or an unknown user is NotFound, one whom the actor does not administer Forbidden."""
