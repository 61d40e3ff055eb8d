"""A new row of a clinic's catalog."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from core.access import Actor
from core.audit.service import record
from core.catalogs.kinds import Kind
from core.catalogs.references import check
from core.clinics.references import require_clinic
from core.db.duplicates import refused_as_duplicate
from core.db.transaction import WriteSession

TAKEN = "The clinic has one like it already; it may be inactive."


async def create(session: WriteSession, actor: Actor, kind: Kind, clinic_id: int, values: Mapping[str, Any]) -> Any:
    """The row as clients see it.

    Raises Invalid for a clinic or a specialty that it cannot refer to, and Conflict (`duplicate`).
    """
    await require_clinic(session, clinic_id)
    await check(session, kind, clinic_id, values)
    statement = insert(kind.table).values(clinic_id=clinic_id, **values).returning(*kind.columns)
    with refused_as_duplicate(TAKEN):
        row = (await session.execute(statement)).mappings().one()
    made = kind.item.model_validate(dict(row))
    changes = {name: [None, value] for name, value in values.items() if value is not None}
    await record(session, actor, f"{kind.name}.created", kind.name, made.id, clinic_id=clinic_id, changes=changes)
    return made
