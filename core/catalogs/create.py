"""A new row of a clinic's catalog."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from core.access import Actor
from core.audit.record import record
from core.catalogs.catalogs import Catalog
from core.catalogs.references import TAKEN, check, require_unlike
from core.clinics.references import require_clinic
from core.db.failures import refused_as_duplicate
from core.db.transaction import WriteSession


async def create(
    session: WriteSession, actor: Actor, catalog: Catalog, clinic_id: int, values: Mapping[str, Any]
) -> Any:
    """The row as clients see it.

    Raises Invalid for a clinic or a specialty that it cannot refer to, and Conflict (`duplicate`).
    """
    await require_clinic(session, clinic_id)
    await check(session, catalog, clinic_id, values)
    await require_unlike(session, catalog, clinic_id, values)
    statement = insert(catalog.table).values(clinic_id=clinic_id, **values).returning(catalog.table.id)
    with refused_as_duplicate(TAKEN):
        row_id = await session.scalar(statement)
    made = await item_of(session, catalog, row_id)
    changes = {name: [None, value] for name, value in values.items() if value is not None}
    await record(session, actor, f"{catalog.name}.created", catalog.name, made.id, clinic_id=clinic_id, changes=changes)
    return made


async def item_of(session: WriteSession, catalog: Catalog, row_id: int | None) -> Any:
    """The row as clients see it, with the name of what it refers to."""
    found = await session.execute(select(*catalog.shown).where(catalog.table.id == row_id))
    return catalog.item.model_validate(dict(found.mappings().one()))
