"""Changing a row of a clinic's catalog, or taking it out of use. None is deleted: tickets refer to it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from core.access import Actor
from core.audit.record import record
from core.catalogs.catalogs import Catalog
from core.catalogs.create import item_of
from core.catalogs.references import TAKEN, check, require_unlike
from core.db.failures import refused_as_duplicate
from core.db.transaction import WriteSession
from core.errors import NotFound


async def change(session: WriteSession, actor: Actor, catalog: Catalog, row_id: int, values: Mapping[str, Any]) -> Any:
    """Write what differs, and give the row as clients see it. What tickets say of it stays: they have its name.

    Raises NotFound, Invalid for a specialty that it cannot refer to, and Conflict (`duplicate`).
    """
    table = catalog.table
    locking = select(table).where(table.id == row_id, actor.scope.rows(table.clinic_id))
    row = (await session.execute(locking.with_for_update(key_share=True))).scalar_one_or_none()
    if row is None:
        raise NotFound
    before = {name: getattr(row, name) for name in values}
    changed = {name: value for name, value in values.items() if before[name] != value}
    if changed:
        await check(session, catalog, row.clinic_id, changed, row_id=row_id)
        if changed.keys() & set(catalog.told_apart_by):
            after = {name: changed.get(name, getattr(row, name)) for name in catalog.told_apart_by}
            await require_unlike(session, catalog, row.clinic_id, after, row_id=row_id)
        statement = update(table).where(table.id == row_id).values(changed)
        with refused_as_duplicate(TAKEN):
            await session.execute(statement, execution_options={"synchronize_session": False})
        changes = {name: [before[name], value] for name, value in changed.items()}
        action = f"{catalog.name}.changed"
        await record(session, actor, action, catalog.name, row_id, clinic_id=row.clinic_id, changes=changes)
    return await item_of(session, catalog, row_id)
