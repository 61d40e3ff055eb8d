"""A new row of a clinic's catalog."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from core.access import Actor
from core.audit.service import record
from core.catalogs.kinds import Kind
from core.catalogs.references import TAKEN, check, require_unlike
from core.clinics.references import require_clinic
from core.db.duplicates import refused_as_duplicate
from core.db.transaction import WriteSession


async def create(session: WriteSession, actor: Actor, kind: Kind, clinic_id: int, values: Mapping[str, Any]) -> Any:
    """The row as clients see it.

    Raises Invalid for a clinic or a specialty that it cannot refer to, and Conflict (`duplicate`).
    """
    await require_clinic(session, clinic_id)
    await check(session, kind, clinic_id, values)
    await require_unlike(session, kind, clinic_id, values)
    statement = insert(kind.table).values(clinic_id=clinic_id, **values).returning(kind.table.id)
    with refused_as_duplicate(TAKEN):
        row_id = await session.scalar(statement)
    made = await item_of(session, kind, row_id)
    changes = {name: [None, value] for name, value in values.items() if value is not None}
    await record(session, actor, f"{kind.name}.created", kind.name, made.id, clinic_id=clinic_id, changes=changes)
    return made


async def item_of(session: WriteSession, kind: Kind, row_id: int | None) -> Any:
    """The row as clients see it, with the name of what it refers to."""
    found = await session.execute(select(*kind.columns).where(kind.table.id == row_id))
    return kind.item.model_validate(dict(found.mappings().one()))
